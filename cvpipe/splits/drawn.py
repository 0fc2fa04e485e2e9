"""Splits that are drawn at random from a seed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, cast

import numpy as np
from annotated_types import Ge

from cvpipe.data import Dataset
from cvpipe.data.seeds import derive
from cvpipe.options import Count, Fraction
from cvpipe.splits.base import Split
from cvpipe.splits.checks import Census
from cvpipe.splits.fold import Fold
from cvpipe.splits.grouping import Shares, assign, equal_shares
from cvpipe.splits.shuffled import dealt, held_out
from cvpipe.wording import plural


def _grouped(shares: Shares, census: Census, seed: int) -> np.ndarray:
    """(n,) side of each image."""
    return assign(shares, np.random.default_rng(seed))[census.groups]


class KFold(Split):
    """k folds, each tested once on what the others learned; again with other folds for each repeat.

    With groups, whole groups are dealt out so that the folds are as alike in size and classes as a search
    finds; a class lies in every fold if that can be found.

    Source: scikit-learn's `StratifiedKFold` and `KFold`, to the image, where there are no groups.
    """

    kfold: Annotated[int, Ge(2)]  # number of folds, at least 2
    repeats: Count = 1  # how often all folds are drawn anew
    stratified: bool = True  # every fold has about the same share of each class

    def count(self, dataset: Dataset) -> int:
        """kfold x repeats."""
        return self.kfold * self.repeats

    @property
    def _dealt(self) -> int:
        return self.kfold

    def _problems(self, dataset: Dataset, census: Census) -> Iterator[str]:
        if not self.stratified and census.total_units < self.kfold:
            yield f"{plural(census.total_units, census.unit)}, fewer than the {self.kfold} folds"
        few = census.with_fewer(self.kfold) if self.stratified else []
        most = min(census.units.tolist(), default=0)
        way_out = f"use {{kfold: {most}}} or add images" if most > 1 else "add images"
        for c in few:
            yield f"{census.describe(c)}, fewer than the {self.kfold} folds; {way_out}"

    def _folds(self, dataset: Dataset, census: Census, seed: int, skipped: Collection[str]) -> list[Fold]:
        seeds = [derive(seed, "split", repeat) for repeat in range(self.repeats)]
        return [Fold.from_mask(mask) for s in seeds for mask in self._masks(census, s)]

    def _masks(self, census: Census, seed: int) -> Iterator[np.ndarray]:
        """The test images of each fold."""
        if census.groups is not None:
            shares = equal_shares(census.table(self.stratified), np.full(self.kfold, 1 / self.kfold))
            side = _grouped(shares, census, seed)
        else:
            side = dealt(census.labels, self.kfold, seed % 2**32, self.stratified)
        yield from (side == fold for fold in range(self.kfold))


class _Draws(Split):
    """One fold from each of `repeats` draws, which have seeds of their own."""

    def count(self, dataset: Dataset) -> int:
        """The number of draws."""
        return int(cast(Any, self).repeats)

    @property
    def _dealt(self) -> int:
        return 1

    def _folds(self, dataset: Dataset, census: Census, seed: int, skipped: Collection[str]) -> list[Fold]:
        seeds = [derive(seed, "split", repeat) for repeat in range(self.count(dataset))]
        return [Fold.from_mask(self._mask(census, s)) for s in seeds]

    def _mask(self, census: Census, seed: int) -> np.ndarray:
        """(n,) bool, the test images of one draw."""
        raise NotImplementedError(f"split '{self.name}' has no _mask")


class Holdout(_Draws):
    """A share of the images is kept for testing; another draw for each repeat.

    With groups, whole groups are kept, so that the share of each class is as near as a search finds.

    Source: scikit-learn's `StratifiedShuffleSplit` and `ShuffleSplit`, to the image, where there are no groups.
    """

    holdout: Fraction  # share of the images that are for testing
    repeats: Count = 1  # number of draws
    stratified: bool = True  # both sides have about the same share of each class

    def _problems(self, dataset: Dataset, census: Census) -> Iterator[str]:
        few = census.with_fewer(2) if self.stratified else []
        for c in few:
            yield f"{census.describe(c)}; a holdout needs at least 2 {census.unit}s of each class"
        if census.groups is not None and not self.stratified and census.total_units < 2:
            yield "all images are of one group; a holdout needs at least 2 groups"
        if census.groups is not None or len(few):
            return
        n, need = len(dataset), len(census.classes) if self.stratified else 1
        test = int(np.ceil(self.holdout * n))  # as scikit-learn rounds
        for side, images in (("test", test), ("training", n - test)):
            if images < need:
                yield (
                    f"{{holdout: {self.holdout}}} of {n:,} images leaves {plural(images, f'{side} image')}"
                    f" for {plural(len(census.classes), 'class')}; use another share or add images"
                )

    def _mask(self, census: Census, seed: int) -> np.ndarray:
        if census.groups is not None:
            shares = np.array([1 - self.holdout, self.holdout])
            return _grouped(equal_shares(census.table(self.stratified), shares), census, seed) == 1
        return held_out(census.labels, self.holdout, seed % 2**32, self.stratified)


class PerClass(_Draws):
    """N training images of each class, all others are for testing; another draw for each repeat.

    With groups, whole groups are drawn: as near to N images as a search finds, above or below, and at least
    one group of each class on both sides if that can be found.
    """

    per_class: Count  # training images of each class
    repeats: Count = 1  # number of draws

    def _problems(self, dataset: Dataset, census: Census) -> Iterator[str]:
        most = min(census.images.tolist(), default=0) - 1
        way_out = f"use {{per_class: {most}}}" if most > 0 else "add images"
        too_small, wanted = set(census.with_fewer(2)), f"{{per_class: {self.per_class}}}"
        for c, images in enumerate(census.images):
            if images <= self.per_class:
                yield f"{census.describe(c)}; {wanted} leaves none to test on; {way_out}"
            elif c in too_small:
                yield f"{census.describe(c)}; {wanted} needs at least 2 groups of each class"

    def _mask(self, census: Census, seed: int) -> np.ndarray:
        if census.groups is not None:
            train = np.full(len(census.classes), self.per_class)
            weights = np.full(len(train), 1 / self.per_class**2)
            shares = Shares(census.table(), np.stack([train, census.images - train]), weights)
            return _grouped(shares, census, seed) == 1
        shuffled = np.random.default_rng(seed).permutation(len(census.labels))
        by_class = shuffled[np.argsort(census.labels[shuffled], kind="stable")]
        start = np.repeat(np.cumsum(census.images) - census.images, census.images)
        test = np.empty(len(by_class), bool)
        test[by_class] = np.arange(len(by_class)) - start >= self.per_class
        return test
