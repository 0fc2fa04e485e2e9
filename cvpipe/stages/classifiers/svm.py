"""Support vector machines: linear, or with a kernel made for histograms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self

import numpy as np
from annotated_types import Ge, MinLen

from cvpipe.data import Features, Predictions
from cvpipe.data.exhibits import Curves, Exhibit
from cvpipe.errors import RunError
from cvpipe.options import Count, Positive, Seed
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of, inner_folds, one_hot
from cvpipe.vision import kernels, nystrom, platt
from cvpipe.vision.cross_validation import held_out_scores
from cvpipe.vision.squared_hinge import squared_hinge

Unmap = Callable[[np.ndarray], np.ndarray]
"""From the weights of mapped features to what `predict` multiplies with."""


class Svm(Classifier):
    """One-versus-rest support vector machine with the squared hinge loss.

    Takes (n, D) float32, gives (n, k) float32 decision values: above 0 where a class is more likely than the
    rest; with `probability` sigmoids of them, divided by their sum. Kernels: linear x.y; chi2 exp(-gamma sum (x -
    y)^2 / (x + y)); intersection sum min(x, y); rbf exp(-gamma |x - y|^2); laplacian exp(-gamma sum |x - y|). The
    bias is regularised as in LIBLINEAR. Kernel machines are exact up to `landmarks` training rows; above, that many
    rows, drawn with `seed`, carry the solution (Nystrom). Raises `RunError` without labels, with one class only, and
    for negative features with chi2 or intersection.

    `C: search` takes the C of `grid` with the best mean accuracy over stratified `folds` of the training images, the
    smallest of equally good ones. Only labels are known here: groups of images are not kept together. The kernel,
    gamma and landmarks, which do not depend on labels, are shared by all folds and values of C.

    Source: Fan et al., "LIBLINEAR: a library for large linear classification", JMLR 2008, section 2 (L2-loss);
    Zhang et al., "Local features and kernels for classification of texture and object categories", IJCV 2007 (kernel:
    chi2); Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods",
    1999 (probability: true).
    """

    kernel: Literal["linear", "chi2", "intersection", "rbf", "laplacian"] = "linear"  # chi2 for histograms
    C: Positive | Literal["search"] = 1.0  # cost of errors: larger fits the training images more closely
    gamma: Positive | Literal["auto"] = "auto"  # of chi2, rbf, laplacian; auto follows gamma_scale
    gamma_scale: Positive = 1.0  # auto gamma = this / mean training distance; 2 did best on UC Merced
    class_weight: Literal["balanced"] | None = None  # balanced: all classes cost the same in all
    probability: bool = False  # scores are probabilities, calibrated on inner folds (Platt scaling)
    # values of C that are tried; 4^-5 to 4^5, since LIBLINEAR's own search ends at 1,024
    grid: Annotated[tuple[Positive, ...], MinLen(1)] = tuple(4.0**power for power in range(-5, 6))
    folds: Annotated[int, Ge(2)] = 5  # of the training images, to choose C and to calibrate probabilities
    landmarks: Count = 1900  # rows that carry a kernel machine; memory: 4 bytes x images x landmarks
    seed: Seed = None  # of the draws of landmarks and of inner folds

    support_: np.ndarray
    coef_: np.ndarray
    intercept_: np.ndarray
    gamma_: float
    C_: float
    accuracies_: np.ndarray
    sigmoids_: np.ndarray

    @property
    def gives_probabilities(self) -> bool:
        """If they were asked for."""
        return self.probability

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        rows = np.ascontiguousarray(features.values, np.float32)
        self._check(rows)
        mapped, unmapped = self._map(rows)
        targets, weights = self._problem(truth)
        self._look_inside(mapped, targets, weights, truth)
        solution, self.intercept_ = squared_hinge(mapped, targets, self.C_ * weights)
        self.coef_ = np.ascontiguousarray(unmapped(solution))
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) decision values or probabilities."""
        rows = np.ascontiguousarray(features.values, np.float32)
        if self.kernel != "linear":
            self._check(rows)
            rows = kernels.similarities(self.kernel, rows, self.support_, self.gamma_)
        scores = rows @ self.coef_ + self.intercept_
        if self.probability:
            chances = platt.sigmoids(scores, self.sigmoids_)
            scores = platt.shares(_both(chances, 1 - chances)).astype(np.float32)
        return Predictions(scores=_both(scores, -scores), classes=self.classes_)

    def _problem(self, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Targets (n, k) of +1 and -1, one column for two classes; weights (n,), by which C is multiplied."""
        counts = np.bincount(truth)
        targets = one_hot(truth, len(counts), off=-1)
        balanced = len(truth) / (len(counts) * counts[truth])
        weights = balanced if self.class_weight == "balanced" else np.ones(len(truth))
        return (targets[:, 1:] if len(counts) == 2 else targets), weights

    def _look_inside(
        self, rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, truth: np.ndarray
    ) -> None:
        """Set `C_`, its `accuracies_` and `sigmoids_` by machines that do not see some of the training rows."""
        tried = self.grid if self.C == "search" else (self.C,)
        self.C_, self.accuracies_, self.sigmoids_ = tried[0], np.empty(0), np.empty((0, 2))
        if len(tried) == 1 and not self.probability:
            return
        fold = inner_folds(self, truth)
        scores = held_out_scores(rows, targets, weights, fold, tried)
        right = np.stack([_both(s, -s).argmax(axis=1) == truth for s in scores])
        self.accuracies_ = np.stack([right[:, fold == f].mean(axis=1) for f in np.unique(fold)]).mean(axis=0)
        best = min(range(len(tried)), key=lambda i: (-self.accuracies_[i], tried[i]))
        self.C_ = float(tried[best])
        if self.probability:
            self.sigmoids_ = platt.fit_sigmoids(scores[best], targets > 0)

    def exhibits(self) -> Sequence[Exhibit]:
        """The accuracies of the search."""
        if self.C != "search":
            return ()
        order = np.argsort(self.grid)
        costs = np.array(self.grid)[order]
        note = f"C = {self.C_:g} was taken."
        if len(costs) > 1 and self.C_ in (costs[0], costs[-1]):
            note += " It is the end of the grid: a wider one may do better."
        line = {f"mean of {self.folds} inner folds": (np.log2(costs), self.accuracies_[order])}
        y_label = "accuracy on held-out training images"
        return [Curves("Search for C", "log2 of C", y_label, line, note)]

    def _map(self, rows: np.ndarray) -> tuple[np.ndarray, Unmap]:
        """(n, r) features whose products are the kernel, and the way back; sets `support_`, `gamma_`."""
        self.support_, self.gamma_ = rows[:0], 0.0
        if self.kernel == "linear":
            return nystrom.narrow(rows)
        if not rows.any():
            raise RunError("all features of the training images are zero", self.name)
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
        return nystrom.features(values, factor), lambda weights: nystrom.fold(weights, factor)

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


def _both(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Scores of all classes: of two, only the second one's is computed, and the first has the other one."""
    return np.hstack([others, scores]) if scores.shape[1] == 1 else scores
