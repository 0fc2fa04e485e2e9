"""Sums of differences to the nearest centre."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.assign import nearest


def residual_sums(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(k, d) float32: for each of k centres the sum of x - c over those of the (n, d) rows that are nearest to it.

    A product with a sparse table of ones adds up the rows; zeros for a centre that no row is nearest to.

    Source: Jegou, Douze, Schmid & Perez, "Aggregating local descriptors into a compact image representation",
    CVPR 2010, section 3.
    """
    from scipy import sparse

    index, _ = nearest(rows, centres)
    ones = np.ones(len(rows), np.float32)
    one_hot = sparse.csc_matrix((ones, index, np.arange(len(rows) + 1)), shape=(len(centres), len(rows)))
    counts = np.bincount(index, minlength=len(centres)).astype(np.float32)
    return one_hot @ rows.astype(np.float32, copy=False) - counts[:, None] * centres
