"""Vectors of Euclidean length 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvpipe.stage import Stage
from cvpipe.stages.transforms._vectors import Vectors


class L2(Stage):
    """Each vector divided by its Euclidean length, so that inner products are cosines.

    Takes (M, D) descriptors or (n, D) features, gives the same type, float32; a vector of zeros stays zero.
    Raises nothing.

    Source: Perronnin, Sanchez & Mensink, "Improving the Fisher kernel for large-scale image classification",
    ECCV 2010, section 3.1.
    """

    cached = False
    row_by_row = True

    def transform(self, batch: Vectors) -> Vectors:
        """(M, D) uint8 or float32 -> (M, D) float32 rows of length 1."""
        values = batch.values.astype(np.float32, copy=False)
        # The largest component first: squares of very small or large numbers leave the range of float32.
        largest = np.abs(values).max(axis=1, initial=0)
        rows = _divided(values, largest)
        return replace(batch, values=_divided(rows, np.sqrt(np.einsum("md,md->m", rows, rows))))


def _divided(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(M, D) float32 rows divided by their (M,) lengths; rows of length 0 stay zero."""
    return values / np.where(lengths > 0, lengths, 1).astype(np.float32)[:, None]
