"""Features of mean 0 and variance 1."""

from __future__ import annotations

from typing import Self

import numpy as np

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stage import Learner


class Standardize(Learner):
    """Shift and scale each feature to mean 0 and standard deviation 1 over the training images.

    Takes and gives (n, D) float32. A feature that is constant over the training images becomes 0 for every
    image. Raises `RunError` if there are no training images, or if later features have another width.

    Source: Hastie, Tibshirani & Friedman, "The elements of statistical learning", 2nd edition 2009, section
    3.4.1.
    """

    cached = False

    mean_: np.ndarray
    scale_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn `mean_` and `scale_`, both (D,) float32, from (n, D) features."""
        if not len(features):
            raise RunError("there are no training images", self.name)
        mean = features.values.mean(axis=0, dtype=np.float64)
        deviation = features.values.std(axis=0, dtype=np.float64)
        # The mean of equal float32 numbers may miss them by a rounding error, which must not be scaled up.
        varies = np.ptp(features.values, axis=0) > 0
        self.mean_ = mean.astype(np.float32)
        self.scale_ = np.where(varies, 1 / np.where(varies, deviation, 1), 0).astype(np.float32)
        return self

    def transform(self, features: Features) -> Features:
        """(n, D) float32 -> (n, D) float32 of mean 0 and standard deviation 1 over the training images."""
        if features.values.shape[1] != len(self.mean_):
            got, width = features.values.shape[1], len(self.mean_)
            raise RunError(f"there are {got} features for each image, {width} when it was fitted", self.name)
        return Features(values=(features.values - self.mean_) * self.scale_)
