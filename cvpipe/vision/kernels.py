"""Kernels of two sets of rows: how alike each pair is."""

from __future__ import annotations

from typing import Literal

import numpy as np

Kernel = Literal["linear", "chi2", "intersection", "rbf", "laplacian"]

NEEDS_NON_NEGATIVE = ("chi2", "intersection")
"""Kernels of histograms."""
OF_DISTANCE = ("chi2", "rbf", "laplacian")
"""Kernels exp(-gamma distance)."""
OFFSET = 10.0
"""Squared length of the mean of rows by their variance, above which distances are of rows less the mean: of the 7
digits of a float32, |x|^2 + |y|^2 - 2 x.y loses as many as this number has. Standardized rows have 0, digits 2.4."""
SAMPLE = 64
"""Rows, about, that the mean is taken of: enough to tell whether it is large."""


def distances(kernel: Kernel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, m) float32 distances between the rows of x (n, d) and y (m, d), float32.

    chi2: sum (x - y)^2 / (x + y), 0 / 0 = 0; rbf: sum (x - y)^2; laplacian: sum |x - y|.
    """
    if kernel == "rbf":
        x, y = _centred(x, y)
        norms = np.einsum("nd,nd->n", x, x)[:, None] + np.einsum("md,md->m", y, y)
        return np.maximum(norms - 2 * (x @ y.T), 0)
    from cvpipe.vision import pairwise  # compiles on first use, and importing numba costs half a second

    return pairwise.chi2(x, y) if kernel == "chi2" else pairwise.l1(x, y)


def _centred(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less about the mean of y, where that is far from 0; their distances are the same. It depends on y alone."""
    some = y[:: max(1, len(y) // SAMPLE)]
    if not len(some):
        return x, y
    centre = some.mean(axis=0)
    if centre @ centre <= OFFSET * ((some - centre) ** 2).sum(axis=1).mean():
        return x, y
    moved = y - centre
    return (moved if x is y else x - centre), moved


def similarities(kernel: Kernel, x: np.ndarray, y: np.ndarray, gamma: float) -> np.ndarray:
    """(n, m) float32 kernel values of the rows of x (n, d) and y (m, d), float32.

    linear: x.y; intersection: sum min(x, y); chi2, rbf, laplacian: exp(-gamma distance).

    Source: Zhang et al., "Local features and kernels for classification of texture and object categories",
    IJCV 2007, section 2.3 (chi2); Swain & Ballard, "Color indexing", IJCV 1991 (intersection).
    """
    if kernel == "linear":
        return x @ y.T
    if kernel == "intersection":
        from cvpipe.vision import pairwise

        return pairwise.intersection(x, y)
    return from_distances(distances(kernel, x, y), gamma)


def from_distances(values: np.ndarray, gamma: float) -> np.ndarray:
    """exp(-gamma distance), written over the distances."""
    values *= np.float32(-gamma)
    return np.exp(values, out=values)


def auto_gamma(values: np.ndarray) -> float:
    """1 / mean of (m, m) distances of different rows; 1 if all are equal. Zhang et al. 2007, section 2.3."""
    pairs = max(len(values) * (len(values) - 1), 1)
    mean = float(values.sum(dtype=np.float64)) / pairs
    return 1 / mean if mean > 0 else 1.0
