"""What has to hold before and after a split is made, said with counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from cvpipe.data import Dataset
from cvpipe.errors import DataError, Problem
from cvpipe.splits.fold import Fold
from cvpipe.splits.table import shown
from cvpipe.wording import plural


class Census:
    """Classes and groups of a data set as numbers.

    `labels` is (n,) class numbers, `groups` (n,) group numbers or None where every image is its own group,
    `images` and `units` are (k,) images of each class and groups (or images) that hold it.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.classes, self.labels = np.unique(dataset.labels, return_inverse=True)
        self.images = np.bincount(self.labels, minlength=len(self.classes))
        self.groups: np.ndarray | None = None
        self.group_names = np.zeros(0, str)
        self.units, self.total_units = self.images, len(dataset)
        if dataset.groups is not None and len(names := np.unique(dataset.groups)) < len(dataset):
            self.group_names, self.total_units = names, len(names)
            self.groups = np.searchsorted(names, dataset.groups)
            self.units = (self.table() > 0).sum(axis=0)

    def table(self, stratified: bool = True) -> np.ndarray:
        """(G, k) images of each group and class; one column for all of them if not `stratified`."""
        k = len(self.classes) if stratified else 1
        cell = (np.zeros(1, np.int64) if self.groups is None else self.groups) * k
        flat = np.bincount(cell + (self.labels if stratified else 0), minlength=self.total_units * k)
        return flat.reshape(-1, k)

    def with_fewer(self, units: int) -> list[int]:
        """Classes that lie in fewer than so many groups (or images)."""
        return [c for c, held in enumerate(self.units.tolist()) if held < units]

    def describe(self, c: int) -> str:
        """`class 'river' has 3 images (2 groups)`."""
        groups = "" if self.groups is None else f" ({plural(int(self.units[c]), 'group')})"
        return f"class '{self.classes[c]}' has {plural(int(self.images[c]), 'image')}{groups}"

    @property
    def unit(self) -> str:
        """What is moved as one."""
        return "image" if self.groups is None else "group"


def raise_for(messages: Iterable[str], dataset: Dataset) -> None:
    """Raise `DataError` with all messages, if there are any."""
    problems = [Problem(message, dataset.name) for message in messages]
    if problems:
        raise DataError(shown(problems))


def too_few_classes(census: Census, warnings: Iterable[str] = ()) -> Iterator[str]:
    """No image, or one class only; then also what the data set warns of, which may be why."""
    if len(census.classes) == 0:
        yield "the data have no images"
    if len(census.classes) == 1:
        yield f"the data have one class only, '{census.classes[0]}'; a classifier needs at least two"
    if len(census.classes) < 2:
        yield from warnings


def unusable(folds: list[Fold], census: Census) -> Iterator[str]:
    """Sides that are empty, classes that nothing is learned about, groups that are on both sides."""
    for number, fold in enumerate(folds):
        for side, rows in (("training", fold.train), ("test", fold.test)):
            if not len(rows):
                yield f"split {number} has no {side} images"
        if not len(fold.train):
            continue
        yield from _unlearned(number, fold, census)
        yield from _shared(number, fold, census)


def _unlearned(number: int, fold: Fold, census: Census) -> Iterator[str]:
    learned = np.bincount(census.labels[fold.train], minlength=len(census.classes))
    tested = np.bincount(census.labels[fold.test], minlength=len(census.classes))
    for c in np.flatnonzero((learned == 0) & (tested > 0)):
        images = plural(int(tested[c]), "test image")
        yield f"split {number}: class '{census.classes[c]}' has {images}, but none to train on"
    if (learned > 0).sum() == 1 and len(fold.test):
        yield f"split {number} has one class only to train on, '{census.classes[learned.argmax()]}'"


def _shared(number: int, fold: Fold, census: Census) -> Iterator[str]:
    if census.groups is None:
        return
    both = np.intersect1d(census.groups[fold.train], census.groups[fold.test])
    if len(both):
        name = census.group_names[both[0]]
        yield f"split {number} has {plural(len(both), 'group')} on both sides, such as '{name}'"
