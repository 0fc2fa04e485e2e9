"""Vectors whose absolute components sum to 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvpipe.stage import Stage
from cvpipe.stages.transforms._vectors import Vectors


class L1(Stage):
    """Each vector divided by the sum of its absolute components: counts become shares.

    Takes (M, D) descriptors or (n, D) features, gives the same type, float32; a vector of zeros stays zero.
    Raises nothing.

    Source: Arandjelovic & Zisserman, "Three things everyone should know to improve object retrieval", CVPR
    2012, section 3.
    """

    cached = False
    row_by_row = True

    def transform(self, batch: Vectors) -> Vectors:
        """(M, D) uint8 or float32 -> (M, D) float32 rows with absolute sum 1."""
        # Sums in float64: they neither overflow, nor lose the last components of a long vector.
        lengths = np.abs(batch.values.astype(np.float32, copy=False)).sum(axis=1, dtype=np.float64)
        return replace(
            batch, values=(batch.values / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
        )
