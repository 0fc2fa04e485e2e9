"""The perceptron: a classifier that learns from its mistakes."""

from __future__ import annotations

from typing import Self

import numpy as np

from cvpipe.data import Features, Predictions
from cvpipe.options import Count, Seed
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of, one_hot
from cvpipe.vision.perceptron import perceptron


class Perceptron(Classifier):
    """One-versus-rest perceptrons: every training image on the wrong side moves the boundary towards itself.

    Takes (n, D) float32, best of similar spread (`standardize`); gives (n, k) float32 scores, above 0 where a class
    is more likely than the rest. Raises `RunError` without labels, or with one class only.

    Source: Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the
    brain", Psychological Review 1958; Freund & Schapire, "Large margin classification using the perceptron
    algorithm", Machine Learning 1999 (averaged: true).
    """

    epochs: Count = 20  # how often each training image is seen
    averaged: bool = True  # the mean of the weights over all steps; false takes those of the last step
    seed: Seed = None  # of the order of the images, another one in each epoch

    coef_: np.ndarray
    intercept_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn from (n, D) features and (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        rng = self.rng("fit")
        order = np.concatenate([rng.permutation(len(truth)) for _ in range(self.epochs)])
        targets = one_hot(truth, len(self.classes_), off=-1)
        self.coef_, self.intercept_ = perceptron(features.values, targets, order.tolist(), self.averaged)
        return self

    def predict(self, features: Features) -> Predictions:
        """(n, D) features -> (n, k) scores."""
        return Predictions(scores=features.values @ self.coef_ + self.intercept_, classes=self.classes_)
