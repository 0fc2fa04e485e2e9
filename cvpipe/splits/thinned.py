"""Fewer training images for the same test images: what a learning curve is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cvpipe.data.seeds import derive
from cvpipe.splits.checks import Census
from cvpipe.splits.fold import Fold
from cvpipe.wording import plural


def too_few(folds: Sequence[Fold], census: Census, wanted: int) -> Iterator[str]:
    """Classes that have fewer than `wanted` training images in some split, one message each."""
    classes = len(census.classes)
    held = np.array([np.bincount(census.labels[fold.train], minlength=classes) for fold in folds])
    for c in np.flatnonzero((held.min(axis=0) < wanted) & (held.max(axis=0) > 0)):
        number = int(held[:, c].argmin())
        least = plural(int(held[number, c]), "training image")
        yield f"class '{census.classes[c]}' has {least} in split {number}, fewer than the {wanted} asked for"


def thinned(folds: Sequence[Fold], labels: np.ndarray, wanted: int, seed: int) -> list[Fold]:
    """`wanted` training images of each class, (n,) numbers, and all test images.

    A function of the seed and the place of the split; what is drawn for a smaller number is part of what is drawn
    for a larger one.
    """
    return [
        Fold(_first_of_each(fold.train, labels, wanted, derive(seed, "train images", place)), fold.test)
        for place, fold in enumerate(folds)
    ]


def _first_of_each(rows: np.ndarray, labels: np.ndarray, wanted: int, seed: int) -> np.ndarray:
    """The first of each class in a random order, sorted."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, start, size = np.unique(labels[by_class], return_index=True, return_counts=True)
    place = np.arange(len(rows)) - np.repeat(start, size)
    return np.sort(by_class[place < wanted])
