"""k-means by angle: centres of length 1, each row told by one of them times a number."""

from __future__ import annotations

import numpy as np

from cvpipe.threads import map_blocks
from cvpipe.vision.unit import unit

CHUNK = 4096
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""


def spherical_kmeans(
    rows: np.ndarray, clusters: int, iterations: int, rng: np.random.Generator
) -> np.ndarray:
    """(clusters, d) float32 centres of length 1 for (n, d) float32 rows; ten iterations are enough.

    Each row is s times its centre, s = x . c the largest in size (its sign does not matter). A new centre is the
    sum of s x over its rows and the old centre (damping, which also keeps a centre without rows), made length 1.
    Starts from random directions.

    Source: Coates & Ng, "Learning feature representations with k-means", 2012, section 2.1 and algorithm 1.
    """
    centres = unit(rng.standard_normal((clusters, rows.shape[1])).astype(np.float32))
    for _ in range(iterations):
        parts = map_blocks(lambda a, b, c=centres: _sums(rows[a:b], c), len(rows), CHUNK)  # type: ignore[misc]
        centres = unit((np.sum(parts, axis=0) + centres).astype(np.float32))
    return centres


def _sums(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(k, d) float64: the sum of s x over the rows of each centre."""
    from scipy import sparse

    products = rows @ centres.T
    best = np.abs(products).argmax(axis=1)
    sizes = products[np.arange(len(rows)), best]
    table = sparse.csc_matrix((sizes, best, np.arange(len(rows) + 1)), shape=(len(centres), len(rows)))
    return (table @ rows).astype(np.float64)
