"""Support vector machines: linear, or with a kernel made for histograms."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.errors import RunError
from cvpipe.options import Count, Positive, Seed
from cvpipe.stage import Classifier
from cvpipe.vision import kernels, nystrom
from cvpipe.vision.squared_hinge import squared_hinge


class Svm(Classifier):
    """One-versus-rest support vector machine with the squared hinge loss.

    Takes (n, D) float32, gives (n, k) float32 decision values: above 0 where a class is more likely than the
    rest. Kernels: linear x.y; chi2 exp(-gamma sum (x - y)^2 / (x + y)); intersection sum min(x, y); rbf
    exp(-gamma |x - y|^2); laplacian exp(-gamma sum |x - y|). The bias is regularised as in LIBLINEAR. Kernel
    machines are exact up to `landmarks` training rows; above, that many rows, drawn with `seed`, carry the
    solution (Nystrom). Raises `RunError` without labels, with one class only, and for negative features with
    chi2 or intersection.

    Source: Fan et al., "LIBLINEAR: a library for large linear classification", JMLR 2008, section 2
    (L2-loss); Zhang et al., "Local features and kernels for classification of texture and object categories",
    IJCV 2007 (chi2).
    """

    kernel: Literal["linear", "chi2", "intersection", "rbf", "laplacian"] = "linear"  # chi2 for histograms
    C: Positive = 1.0  # cost of errors: larger fits the training images more closely
    gamma: Positive | Literal["auto"] = "auto"  # of chi2, rbf, laplacian; auto follows gamma_scale
    gamma_scale: Positive = 1.0  # auto gamma = this / mean training distance; 2 did best on UC Merced
    class_weight: Literal["balanced"] | None = None  # balanced: all classes cost the same in all
    landmarks: Count = 1900  # rows that carry a kernel machine; memory: 4 bytes x images x landmarks
    seed: Seed = None  # of the draw of landmarks

    support_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    gamma_: float

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        if labels is None:
            raise RunError("an SVM learns from labels, and there are none", self.name)
        self.classes_, truth = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise RunError(f"an SVM needs two classes, the training images are all '{labels[0]}'", self.name)
        targets, costs = self._problem(truth)
        self.gamma_ = 0.0
        rows = np.ascontiguousarray(features.values, np.float32)
        if self.kernel == "linear":
            self.support_ = rows[:0]
            self.coef_, self.intercept_ = squared_hinge(rows, targets, costs)
            return self
        self._check(rows)
        if not rows.any():
            raise RunError("all features of the training images are zero", self.name)
        mapped, factor = self._map(rows)
        weights, self.intercept_ = squared_hinge(mapped, targets, costs)
        self.coef_ = np.ascontiguousarray(nystrom.fold(weights, factor))
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) decision values."""
        rows = np.ascontiguousarray(features.values, np.float32)
        if self.kernel != "linear":
            self._check(rows)
            rows = kernels.similarities(self.kernel, rows, self.support_, self.gamma_)
        scores = rows @ self.coef_ + self.intercept_
        if len(self.classes_) == 2:
            scores = np.hstack([-scores, scores])
        return Predictions(scores=scores, classes=self.classes_)

    def _problem(self, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Targets (n, k) of +1 and -1, one column for two classes; costs (n,)."""
        counts = np.bincount(truth)
        targets = np.where(truth[:, None] == np.arange(len(counts)), 1, -1).astype(np.float32)
        balanced = len(truth) / (len(counts) * counts[truth])
        costs = self.C * (balanced if self.class_weight == "balanced" else np.ones(len(truth)))
        return (targets[:, 1:] if len(counts) == 2 else targets), costs

    def _map(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, r) features whose products are the kernel, and their factor; sets `support_`, `gamma_`."""
        everything = len(rows) <= self.landmarks
        drawn = rows if everything else rows[self._draw(len(rows))]
        table = self._table(drawn)
        order, factor = nystrom.factorise(table)
        self.support_ = drawn[order]
        if everything:
            values = np.ascontiguousarray(table[:, order])
        else:
            del table  # the kernel of all rows takes the memory now
            values = kernels.similarities(self.kernel, rows, self.support_, self.gamma_)
        return nystrom.features(values, factor), factor

    def _table(self, rows: np.ndarray) -> np.ndarray:
        """(m, m) kernel values of the landmarks; sets `gamma_`."""
        if self.kernel not in kernels.OF_DISTANCE:
            return kernels.similarities(self.kernel, rows, rows, 0.0)
        table = kernels.distances(self.kernel, rows, rows)
        scale = self.gamma_scale * kernels.auto_gamma(table)
        self.gamma_ = scale if self.gamma == "auto" else float(self.gamma)
        return kernels.from_distances(table, self.gamma_)

    def _draw(self, count: int) -> np.ndarray:
        return np.sort(self.rng("landmarks").choice(count, self.landmarks, replace=False))

    def _check(self, rows: np.ndarray) -> None:
        lowest = rows.min(initial=0)
        if self.kernel in kernels.NEEDS_NON_NEGATIVE and lowest < 0:
            raise RunError(
                f"kernel: {self.kernel} is for features that are not negative, but one is {lowest:.3g}; use "
                "kernel: rbf or linear, or leave out the stage that centres them",
                self.name,
            )
