"""Least squares on class indicators."""

from __future__ import annotations

from typing import Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.options import Positive
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of, one_hot
from cvpipe.vision.ridge import ridge


class Ridge(Classifier):
    """One-versus-rest least squares with a penalty on the weights: the fastest linear classifier, by one equation.

    Takes (n, D) float32, gives (n, k) float32 estimates of 1 for the true class and -1 for the others. Minimises the
    squared errors + penalty * |w|^2; biases are not penalised. Raises `RunError` without labels, or with one class
    only.

    Source: Hoerl & Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 1970;
    Rifkin, Yeo & Poggio, "Regularized least-squares classification", 2003.
    """

    penalty: Positive = 1.0  # on the squared weights: larger gives smoother classifiers

    coef_: np.ndarray
    intercept_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        targets = one_hot(truth, len(self.classes_), off=-1)
        self.coef_, self.intercept_ = ridge(features.values, targets, self.penalty)
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) estimates, above 0 where a class is more likely than the rest."""
        return Predictions(scores=features.values @ self.coef_ + self.intercept_, classes=self.classes_)
