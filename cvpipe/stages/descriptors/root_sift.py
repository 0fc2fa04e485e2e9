"""RootSIFT: SIFT descriptors compared by the Hellinger kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvpipe.data import Descriptors
from cvpipe.errors import RunError
from cvpipe.stage import Stage


class RootSift(Stage):
    """Square root of L1-normalised descriptors, so that their inner product is the Hellinger kernel.

    Takes (M, D) values that are not negative, gives (M, D) float32 rows of unit length; an all-zero row stays
    zero. Raises `RunError` for negative values.

    Source: Arandjelovic & Zisserman, "Three things everyone should know to improve object retrieval", CVPR
    2012, section 3.
    """

    cached = False
    row_by_row = True

    def transform(self, descriptors: Descriptors) -> Descriptors:
        """(M, D) uint8 or float32 -> (M, D) float32 of unit length."""
        values = descriptors.values.astype(np.float32)
        if descriptors.values.dtype != np.uint8 and values.min(initial=0) < 0:
            raise RunError("the square root is for descriptors that are not negative", self.name)
        total = values.sum(axis=1, keepdims=True)
        values /= np.maximum(total, np.finfo(np.float32).tiny)
        return replace(descriptors, values=np.sqrt(values, out=values))
