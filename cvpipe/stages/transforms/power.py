"""Signed powers of vectors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvpipe.options import Positive
from cvpipe.stage import Stage
from cvpipe.stages.transforms._vectors import Vectors


class Power(Stage):
    """Each component to a power with its sign kept: sign(z) |z|^exponent. Below 1 it evens out bursts.

    Takes (M, D) descriptors or (n, D) features, gives the same type, float32. Raises nothing.

    Source: Perronnin, Sanchez & Mensink, "Improving the Fisher kernel for large-scale image classification",
    ECCV 2010, section 3.2.
    """

    exponent: Positive = 0.5  # 0.5 is the signed square root, 1 changes nothing

    cached = False
    row_by_row = True

    def transform(self, batch: Vectors) -> Vectors:
        """(M, D) uint8 or float32 -> (M, D) float32."""
        return replace(batch, values=signed_power(batch.values, self.exponent))


def signed_power(values: np.ndarray, exponent: float) -> np.ndarray:
    """sign(z) |z|^exponent of an array of any real type, float32."""
    values = values.astype(np.float32, copy=False)
    if exponent == 1:
        return values
    size = np.abs(values)
    size = np.sqrt(size, out=size) if exponent == 0.5 else np.power(size, np.float32(exponent), out=size)
    return np.copysign(size, values, out=size)
