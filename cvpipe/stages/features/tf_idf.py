"""Words weighted by how few images have them."""

from __future__ import annotations

from typing import Self

import numpy as np

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stage import Learner


class TfIdf(Learner):
    """Each word's share of an image times the logarithm of how rare it is: words that all images have say nothing.

    Takes (n, D) float32 that are not negative, such as histograms of `bag_of_words`, gives the same shape: feature j
    times idf_j = log(images / images in which j is not zero), both counted over the training images. So a feature that
    every training image has becomes zero; one that none has counts as if one had. Raises `RunError` for negative
    features, if there are no training images, and if later features have another width.

    Source: Sivic & Zisserman, "Video Google: a text retrieval approach to object matching in videos", ICCV 2003,
    section 4.
    """

    cached = False

    idf_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        """Learn `idf_`, (D,) float32, from (n, D) features."""
        if not len(features):
            raise RunError("there are no training images", self.name)
        self._check(features.values)
        having = np.maximum((features.values > 0).sum(axis=0), 1)
        self.idf_ = np.log(len(features) / having).astype(np.float32)
        return self

    def transform(self, features: Features) -> Features:
        """(n, D) -> (n, D) float32."""
        width, got = len(self.idf_), features.values.shape[1]
        if got != width:
            raise RunError(f"features are {got} numbers long, {width} when it was fitted", self.name)
        self._check(features.values)
        return Features(values=features.values * self.idf_)

    def _check(self, values: np.ndarray) -> None:
        lowest = values.min(initial=0)
        if lowest < 0:
            raise RunError(f"counts of words are not negative, but one feature is {lowest:.3g}", self.name)
