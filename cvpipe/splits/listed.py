"""Splits that somebody else has made."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

import numpy as np

from cvpipe.data import Dataset
from cvpipe.files import user_path
from cvpipe.options import PathText
from cvpipe.splits.base import Split
from cvpipe.splits.checks import Census
from cvpipe.splits.fold import Fold
from cvpipe.splits.table import SplitTable


class Given(Split):
    """The training and test images that the data set itself names."""

    given: Literal[True] = True  # nothing to choose

    def count(self, dataset: Dataset) -> int:
        """1."""
        return 1

    def _problems(self, dataset: Dataset, census: Census) -> Iterator[str]:
        if dataset.given is None:
            yield "the data bring no split of their own; use another, such as {kfold: 5}"
        other = set() if dataset.given is None else set(dataset.given.tolist()) - {"train", "test"}
        for word in sorted(other):
            yield f"the data's own split says '{word}', allowed are train and test"

    def _folds(self, dataset: Dataset, census: Census, seed: int, skipped: Collection[str]) -> list[Fold]:
        return [Fold.from_mask(np.asarray(dataset.given) == "test")]


class File(Split):
    """Splits from a CSV file with the columns `id` and `split` (train or test).

    For several splits there is also a column `repeat` or `fold` (or both) that numbers them. Ids are those of
    the data set. Images that a split does not list are not used in it.
    """

    file: PathText  # path of the CSV file

    def count(self, dataset: Dataset) -> int:
        """The number of different `repeat` and `fold` numbers. Raises `DataError`."""
        return len(SplitTable(user_path(self.file), dataset.images.ids, ()).read())

    def _folds(self, dataset: Dataset, census: Census, seed: int, skipped: Collection[str]) -> list[Fold]:
        sides = SplitTable(user_path(self.file), dataset.images.ids, skipped).read().values()
        return [Fold(np.flatnonzero(side == "train"), np.flatnonzero(side == "test")) for side in sides]


def unused_warnings(dataset: Dataset, split: Split) -> list[str]:
    """What a reader of scores has to know if the data bring a split and another is drawn; nothing otherwise."""
    brought = set() if dataset.given is None else set(dataset.given.tolist())
    if isinstance(split, Given | File) or not brought >= {"train", "test"}:
        return []
    return ["the data bring a split of their own, which is not used; `--set 'split={given: true}'` uses it"]
