"""What a kind of split is: parameters, and `folds`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import MISSING, fields
from typing import Any, cast

from cvpipe.configurable import Configurable
from cvpipe.data import Dataset
from cvpipe.data.seeds import generator
from cvpipe.options import Count
from cvpipe.splits import checks
from cvpipe.splits.checks import Census
from cvpipe.splits.duplicates import kept_together
from cvpipe.splits.fold import Fold
from cvpipe.splits.thinned import thinned, too_few

COMMON = ("train_per_class",)
"""Parameters that all splits have."""


class Split(Configurable):
    """A way to split. In a spec it is `{word: value, other: options}`; its first parameter is the word."""

    role = "split"

    train_per_class: Count | None = (
        None  # learn from so many training images of each class; None: from all of them
    )

    @classmethod
    def parameters(cls) -> list[str]:
        """The names of the parameters; what all splits have in common stands last."""
        return sorted(super().parameters(), key=lambda name: name in COMMON)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = cls.parameters()[0]

    def folds(
        self, dataset: Dataset, seed: int, skipped: Collection[str] = (), tokens: Sequence[str] = ()
    ) -> list[Fold]:
        """The splits, a function of the data set and the seed alone.

        `skipped` are ids of images that were left out of the data set; a split file may name them. `tokens` are
        the (n,) content hashes: equal images of a class are kept on one side where the split is drawn, the data
        bring no groups and the class has enough different images. Raises `DataError` with all problems if no such
        split can be learned from and tested.
        """
        census = Census(dataset)
        checks.raise_for(
            [*checks.too_few_classes(census, dataset.warnings), *self._problems(dataset, census)], dataset
        )
        folds = self._folds(dataset, census, seed, skipped)
        if tokens and self._dealt and census.groups is None:
            rng, dealt = generator(seed, "split", "copies"), self._dealt
            folds = [
                fold
                for start in range(0, len(folds), dealt)
                for fold in kept_together(folds[start : start + dealt], dataset.labels, tokens, rng)
            ]
        checks.raise_for(checks.unusable(folds, census), dataset)
        if self.train_per_class is None:
            return folds
        checks.raise_for(too_few(folds, census, self.train_per_class), dataset)
        return thinned(folds, census.labels, self.train_per_class, seed)

    def count(self, dataset: Dataset) -> int:
        """How many splits `folds` gives, without making them."""
        raise NotImplementedError(f"split '{self.name}' has no count")

    def as_spec(self) -> dict[str, Any]:
        """As in a spec: `{"kfold": 5}`; other options stand there if they differ from their defaults."""
        params = self.get_params(deep=False)
        default = {f.name: f.default for f in fields(cast(Any, self))}
        default[self.name] = MISSING
        return {name: value for name, value in params.items() if value != default[name]}

    @property
    def _dealt(self) -> int:
        """How many folds in a row share out the images among them; 0 where the sides are not drawn."""
        return 0

    def _problems(self, dataset: Dataset, census: Census) -> Iterator[str]:
        """What makes this split impossible, one message each."""
        yield from ()

    def _folds(self, dataset: Dataset, census: Census, seed: int, skipped: Collection[str]) -> list[Fold]:
        raise NotImplementedError(f"split '{self.name}' has no folds")
