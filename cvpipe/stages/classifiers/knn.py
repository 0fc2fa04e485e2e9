"""The classes of the most similar training images."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.errors import RunError
from cvpipe.options import Count
from cvpipe.stage import Classifier
from cvpipe.vision import kernels


class Knn(Classifier):
    """k nearest neighbours: each of the k most similar training images votes for its class.

    Takes (n, D) float32, gives (n, k classes) float32 shares of the votes in [0, 1]; of classes with as many
    votes the one with the nearest image wins, by half a vote. If there are fewer than k training images, all
    vote. Distances: l1 sum |x - y|; l2 Euclidean; chi2 sum (x - y)^2 / (x + y); cosine 1 - x.y / (|x| |y|), 1
    to a row of zeros. Raises `RunError` without labels, and for negative features with chi2.

    Source: Cover & Hart, "Nearest neighbor pattern classification", IEEE Trans. Information Theory 1967.
    """

    k: Count = 1  # how many training images vote
    metric: Literal["l1", "l2", "chi2", "cosine"] = "l2"  # chi2 for histograms

    rows_: np.ndarray
    truth_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Keep the (n, D) features and (n,) labels."""
        if labels is None or not len(features):
            raise RunError(
                "nearest neighbours need training images with labels, and there are none", self.name
            )
        self.classes_, self.truth_ = np.unique(labels, return_inverse=True)
        self.rows_ = self._checked(features.values).copy()
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k classes) shares of the votes."""
        distance = self._distance(self._checked(features.values), self.rows_)
        near = np.argsort(distance, axis=1, kind="stable")[:, : self.k]
        scores = np.zeros((len(distance), len(self.classes_)), np.float32)
        images = np.arange(len(distance))
        for neighbour in near.T:
            scores[images, self.truth_[neighbour]] += 1
        return Predictions(scores=self._broken_ties(scores, near), classes=self.classes_)

    def _broken_ties(self, votes: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Shares that sum to 1, with half a vote more for the class of the nearest image among the winners."""
        images = np.arange(len(votes))
        most = votes == votes.max(axis=1, keepdims=True)
        first = most[images[:, None], self.truth_[near]].argmax(axis=1)
        votes[images, self.truth_[near[images, first]]] += 0.5
        return votes / (near.shape[1] + 0.5)

    def _distance(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(n, m) float32."""
        if self.metric == "cosine":
            return 1 - _unit(x) @ _unit(y).T
        kernel: dict[str, kernels.Kernel] = {"l1": "laplacian", "l2": "rbf", "chi2": "chi2"}
        return kernels.distances(kernel[self.metric], x, y)

    def _checked(self, values: np.ndarray) -> np.ndarray:
        lowest = values.min(initial=0)
        if self.metric == "chi2" and lowest < 0:
            raise RunError(
                f"metric: chi2 is for features that are not negative, but one is {lowest:.3g}; use metric: l1 or l2",
                self.name,
            )
        return np.ascontiguousarray(values, np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; zeros stay zeros."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1)
