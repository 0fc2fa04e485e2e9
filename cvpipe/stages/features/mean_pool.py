"""The mean descriptor of each image."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.stage import Stage


class MeanPool(Stage):
    """Mean of the descriptors of an image: the plainest way to one vector, and what others have to beat.

    Takes (M, D) descriptors, gives (n, D) float32 in the same unit. An image without descriptors gives zeros.
    Raises nothing.

    Source: average pooling; Boureau et al., "A theoretical analysis of feature pooling in visual
    recognition", ICML 2010, section 2.
    """

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) uint8 or float32 descriptors -> (n, D) float32 means."""
        means = np.zeros((len(descriptors), descriptors.values.shape[1]), np.float32)
        for image in np.flatnonzero(descriptors.counts).tolist():
            means[image] = descriptors.values[descriptors.rows(image)].mean(axis=0, dtype=np.float64)
        return Features(values=means)
