"""Fewer, uncorrelated components: principal component analysis."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.errors import RunError
from cvpipe.options import Count, Seed
from cvpipe.stage import Learner
from cvpipe.stages.transforms._vectors import Vectors, spans
from cvpipe.vision.pca import principal_components


class Pca(Learner):
    """Vectors projected on the directions in which the training vectors vary most.

    Takes (M, D) descriptors or (n, D) features, gives the same type with min(dims, D) float32 components: the
    first one varies most, none are correlated over the training vectors, their mean is 0. The largest weight
    of a component is positive, so its sign is not an accident. Components in which the training vectors do
    not vary (they are fewer than `dims`, or some features constant) are 0 for every image. Raises `RunError`
    if there is nothing to learn from, or if later vectors have another width.

    Source: Jolliffe, "Principal component analysis", 2nd edition 2002, section 1.1; Jegou & Chum, "Negative
    evidences and co-occurences in image retrieval", ECCV 2012, section 3 (whiten: true).
    """

    dims: Count = 64  # components kept; Perronnin 2010 kept 64 of SIFT's 128
    whiten: bool = False  # scale each component to variance 1 over the training vectors
    rows: Count = 200_000  # training vectors that are drawn; the covariance has converged long before
    seed: Seed = None  # of the draw

    mean_: np.ndarray
    axes_: np.ndarray
    variances_: np.ndarray

    cached = False

    @property
    def fit_rows(self) -> int:
        """Vectors that `fit` needs."""
        return self.rows

    def fit(self, batch: Descriptors | Features, labels: np.ndarray | None = None) -> Self:
        """Learn `mean_` (D,), `axes_` (D, dims) and `variances_` (dims,), float32."""
        values = batch.values
        if not len(values):
            raise RunError("there is nothing to learn components from", self.name)
        found = principal_components(values, self.dims)
        missing = min(self.dims, values.shape[1]) - len(found.variances)
        self.mean_ = found.mean.astype(np.float32)
        self.axes_ = np.pad(found.axes, ((0, 0), (0, missing))).astype(np.float32)
        self.variances_ = np.pad(found.variances, (0, missing)).astype(np.float32)
        return self

    def transform(self, batch: Vectors) -> Vectors:
        """(M, D) uint8 or float32 -> (M, min(dims, D)) float32."""
        width, got = len(self.mean_), batch.values.shape[1]
        if got != width:
            raise RunError(f"vectors are {got} numbers long, {width} when it was fitted", self.name)
        axes = self.axes_ * self._scales() if self.whiten else self.axes_
        values = np.empty((len(batch.values), axes.shape[1]), np.float32)
        for rows in spans(batch):
            np.matmul(batch.values[rows] - self.mean_, axes, out=values[rows])
        return replace(batch, values=values)

    def _scales(self) -> np.ndarray:
        """(dims,) one over the standard deviation of each component; 0 where nothing varies."""
        varies = self.variances_ > 0
        return np.where(varies, 1 / np.sqrt(np.where(varies, self.variances_, 1)), 0).astype(np.float32)
