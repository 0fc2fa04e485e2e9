"""The classes of the most similar training images."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.errors import RunError
from cvpipe.options import Count
from cvpipe.stage import Classifier
from cvpipe.vision import kernels
from cvpipe.vision.unit import unit


class Knn(Classifier):
    """k nearest neighbours: each of the k most similar training images votes for its class.

    Takes (n, D) float32, gives (n, k classes) float32 shares of the votes in [0, 1]; of classes with as many
    votes the one with the nearest image wins, by half a vote. Votes may weigh 1 / distance; then images at
    distance 0, if there are any, decide alone. If there are fewer than k training images, all vote. Distances:
    l1 sum |x - y|; l2 Euclidean; chi2 sum (x - y)^2 / (x + y); cosine 1 - x.y / (|x| |y|), 1 to a row of zeros.
    Raises `RunError` without labels, and for negative features with chi2.

    Source: Cover & Hart, "Nearest neighbor pattern classification", IEEE Trans. Information Theory 1967;
    Dudani, "The distance-weighted k-nearest-neighbor rule", IEEE Trans. Systems, Man, and Cybernetics 1976 (votes:
    distance).
    """

    k: Count = 1  # how many training images vote
    metric: Literal["l1", "l2", "chi2", "cosine"] = "l2"  # chi2 for histograms
    votes: Literal["equal", "distance"] = "equal"  # distance: nearer images have more to say, 1 / distance

    rows_: np.ndarray
    truth_: np.ndarray

    gives_probabilities = True

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
        weights = np.ones(near.shape) if self.votes == "equal" else self._weights(features.values, near)
        for neighbour, weight in zip(near.T, weights.T, strict=True):
            scores[images, self.truth_[neighbour]] += weight
        if self.votes == "equal":
            scores = self._broken_ties(scores, near)
        return Predictions(scores=scores, classes=self.classes_)

    def _weights(self, rows: np.ndarray, near: np.ndarray) -> np.ndarray:
        """(n, k) weights that sum to 1, from distances by definition: products of matrices miss those near 0."""
        weights = np.empty(near.shape)
        for weight, row, index in zip(weights, rows, near, strict=True):
            distance = _exact(self.metric, row.astype(np.float64), self.rows_[index].astype(np.float64))
            equal = distance == 0
            weight[:] = equal if equal.any() else distance.min() / distance
        return weights / weights.sum(axis=1, keepdims=True)

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
            apart = kernels.distances("rbf", unit(x), unit(y)) / 2
            zeros = [np.flatnonzero(~rows.any(axis=1)) for rows in (x, y)]
            apart[zeros[0]] = apart[:, zeros[1]] = 1
            return apart
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


def _exact(metric: str, row: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(m,) distances of (d,) and (m, d), by definition; 0 for equal rows."""
    if metric == "cosine":
        row, others = unit(row[None])[0], unit(others)
        both = row.any() & others.any(axis=1)
        return np.where(both, ((others - row) ** 2).sum(axis=1) / 2, 1.0)
    gap = np.abs(others - row)
    if metric == "chi2":
        return (gap**2 / np.maximum(others + row, 1e-30)).sum(axis=1)
    return gap.sum(axis=1) if metric == "l1" else np.sqrt((gap**2).sum(axis=1))
