"""The largest descriptor components of each image."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.stage import Stage


class MaxPool(Stage):
    """Largest value of each descriptor component in an image: whether something is there, not how often.

    Takes (M, D) descriptors, gives (n, D) float32 in the same unit. An image without descriptors gives zeros.
    Raises nothing.

    Source: Boureau, Ponce & LeCun, "A theoretical analysis of feature pooling in visual recognition", ICML
    2010, section 2.
    """

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) uint8 or float32 descriptors -> (n, D) float32."""
        values = np.zeros((len(descriptors), descriptors.values.shape[1]), np.float32)
        for image in np.flatnonzero(descriptors.counts).tolist():
            values[image] = descriptors.values[descriptors.rows(image)].max(axis=0)
        return Features(values=values)
