"""Multinomial logistic regression."""

from __future__ import annotations

from typing import Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.options import Count, Positive
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of
from cvpipe.vision.softmax import fit_softmax, probabilities


class Softmax(Classifier):
    """Multinomial logistic regression: linear scores whose softmax are the probabilities of the classes.

    Takes (n, D) float32, best of similar spread (`standardize`); gives (n, k) float32 probabilities, which sum to 1.
    Minimises |w|^2 / 2 + C * the negative log likelihood; biases are not regularised. Raises `RunError` without
    labels, or with one class only.

    Source: Bishop, "Pattern recognition and machine learning", 2006, section 4.3.4.
    """

    C: Positive = 1.0  # cost of errors: larger fits the training images more closely
    iterations: Count = 2000  # most iterations of L-BFGS
    tolerance: Positive = 1e-4  # it ends when no slope, as a share of the objective, is larger

    coef_: np.ndarray
    intercept_: np.ndarray

    gives_probabilities = True

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        rows = np.ascontiguousarray(features.values, np.float32)
        self.coef_, self.intercept_ = fit_softmax(rows, truth, self.C, self.iterations, self.tolerance)
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) probabilities."""
        rows = np.ascontiguousarray(features.values, np.float32)
        return Predictions(scores=probabilities(rows, self.coef_, self.intercept_), classes=self.classes_)
