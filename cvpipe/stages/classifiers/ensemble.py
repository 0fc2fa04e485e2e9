"""Several classifiers that decide together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.errors import NotFitted
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of, one_hot
from cvpipe.stages.classifiers.softmax import Softmax
from cvpipe.stages.classifiers.svm import Svm

SLOTS = ("first", "second", "third", "fourth")
INSTEAD_OF_NULL: dict[str, Any] = {"first": Svm, "second": Softmax}


class Ensemble(Classifier):
    """Two to four classifiers on the same features: the mean of their scores, or a vote.

    Takes (n, D) float32. `mean` gives (n, k) float32 means of the members' scores, each less its mean over the classes
    and divided by its standard deviation over the training images, so that members count the same. `vote` gives
    shares of the votes in [0, 1]; of classes with as many votes the one with the largest mean score wins, by half a
    vote. Raises `RunError` without labels, with one class only, and what its members raise.

    Source: Kittler, Hatef, Duin & Matas, "On combining classifiers", PAMI 1998 (sum rule, majority vote); Jain,
    Nandakumar & Ross, "Score normalization in multimodal biometric systems", Pattern Recognition 2005 (z-scores).
    """

    first: Classifier | None = None  # null takes svm
    second: Classifier | None = None  # null takes softmax
    third: Classifier | None = None  # null leaves it out
    fourth: Classifier | None = None  # null leaves it out
    combine: Literal["mean", "vote"] = "mean"  # of scores, or the class that most members choose

    scale_: np.ndarray

    @property
    def gives_probabilities(self) -> bool:
        """Shares of votes are."""
        return self.combine == "vote"

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Fit copies of the members to (n, D) features and (n,) labels."""
        self.classes_, _ = classes_of(labels, self.name)
        members = self._unfitted()
        scores = [member.fit(features, labels).predict(features).scores for member in members.values()]
        spread = np.array([_centred(s).std() for s in scores])
        self.scale_ = (1 / np.where(spread > 0, spread, 1)).astype(np.float32)
        self._members = members
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) mean scores or shares of votes."""
        scale = self.scale_[:, None, None]
        given = [member.predict(features).scores for member in self._fitted().values()]
        mean = (np.stack([_centred(scores) for scores in given]) * scale).mean(axis=0)
        if self.combine == "mean":
            return Predictions(scores=mean, classes=self.classes_)
        count = len(self.classes_)
        votes = np.sum([one_hot(scores.argmax(axis=1), count) for scores in given], axis=0)
        most = votes == votes.max(axis=1, keepdims=True)
        winner = np.where(most, mean, -np.inf).argmax(axis=1)
        shares = (votes + one_hot(winner, count) / 2) / np.float32(len(given) + 0.5)
        return Predictions(scores=shares, classes=self.classes_)

    def state(self) -> dict[str, Any]:
        """What was learned: that of each member as `first.name`."""
        own = super().state()
        parts = {slot: member.state() for slot, member in self._fitted().items()}
        return own | {f"{slot}.{name}": value for slot, part in parts.items() for name, value in part.items()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Set what was learned, as `state` gave it."""
        members = self._unfitted()
        for slot, member in members.items():
            head = f"{slot}."
            member.restore({k.removeprefix(head): v for k, v in state.items() if k.startswith(head)})
        self._members = members
        return super().restore(state)

    def _unfitted(self) -> dict[str, Classifier]:
        """A new copy of each member by slot."""
        chosen = {slot: getattr(self, slot) for slot in SLOTS}
        chosen |= {slot: stage() for slot, stage in INSTEAD_OF_NULL.items() if chosen[slot] is None}
        return {slot: type(m)(**m.get_params(deep=False)) for slot, m in chosen.items() if m is not None}

    def _fitted(self) -> dict[str, Classifier]:
        members: dict[str, Classifier] | None = self.__dict__.get("_members")
        if members is None:
            raise NotFitted(f"stage '{self.name}' is not fitted: call fit first")
        return members


def _centred(scores: np.ndarray) -> np.ndarray:
    """Scores less the mean of each row."""
    return scores - scores.mean(axis=1, keepdims=True)
