"""Stages made of stages: branches that meet again."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from cvpipe.errors import NotFitted
from cvpipe.stage import Learner, Stage, learns


class Composite(Learner):
    """A stage that is made of chains of stages on the same input, and of a way to combine what they give.

    The runner takes the stages of each chain one by one, so that each keeps its place in the cache, its cost and its
    training rows; `fit` and `transform` do the same for a batch at hand.
    """

    cached: ClassVar[bool] = False

    def chains(self) -> Sequence[Sequence[Stage]]:
        """The stages of each chain, from what this stage takes to what `combine` takes."""
        raise NotImplementedError(f"stage '{self.name}' has no chains")

    def combine(self, outputs: Sequence[Any]) -> Any:
        """What the chains give for a batch, in their order, as one batch for the same images."""
        raise NotImplementedError(f"stage '{self.name}' has no combine")

    def adopt(self, fitted: Sequence[Sequence[Stage]]) -> None:
        """Take fitted copies of the stages in `chains`."""
        self._fitted = [list(chain) for chain in fitted]

    def fitted_chains(self) -> list[list[Stage]]:
        """The fitted copies. Raises `NotFitted`."""
        fitted: list[list[Stage]] | None = self.__dict__.get("_fitted")
        if fitted is None:
            raise NotFitted(f"stage '{self.name}' is not fitted: call fit first")
        return fitted

    def fit(self, batch: Any, labels: np.ndarray | None = None) -> Self:
        """Fit copies of the stages, each chain on the same batch."""
        fitted = copy.deepcopy([list(chain) for chain in self.chains()])
        for chain in fitted:
            given = batch
            for stage in chain:
                given = _fit_transform(stage, given, labels)
        self.adopt(fitted)
        return self

    def transform(self, batch: Any) -> Any:
        """`combine` of what each fitted chain gives."""
        outputs = []
        for chain in self.fitted_chains():
            given = batch
            for stage in chain:
                given = stage.transform(given)
            outputs.append(given)
        return self.combine(outputs)

    def state(self) -> dict[str, Any]:
        """What the learners in the chains learned: `0.2.vocabulary_` is of the third stage of the first chain."""
        return {
            f"{branch}.{place}.{name}": value
            for branch, chain in enumerate(self.fitted_chains())
            for place, stage in enumerate(chain)
            if isinstance(stage, Learner)
            for name, value in stage.state().items()
        }

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Set what was learned, as `state` gave it."""
        fitted = copy.deepcopy([list(chain) for chain in self.chains()])
        for branch, chain in enumerate(fitted):
            for place, stage in enumerate(chain):
                head = f"{branch}.{place}."
                if isinstance(stage, Learner):
                    stage.restore({n.removeprefix(head): v for n, v in state.items() if n.startswith(head)})
        self.adopt(fitted)
        return self


def _fit_transform(stage: Stage, batch: Any, labels: np.ndarray | None) -> Any:
    if learns(stage):
        stage.fit(batch if stage.sampler is None else stage.sampler.transform(batch), labels)
    return stage.transform(batch)
