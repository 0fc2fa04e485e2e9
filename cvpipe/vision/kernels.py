"""Kernels of two sets of rows: how alike each pair is."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.vision.assign import far_middle

Kernel = Literal["linear", "chi2", "intersection", "rbf", "laplacian"]

NEEDS_NON_NEGATIVE = ("chi2", "intersection")
"""Kernels of histograms."""
OF_DISTANCE = ("chi2", "rbf", "laplacian")
"""Kernels exp(-gamma distance)."""
SAMPLE = 64
"""Rows, about, that the mean is taken of: enough to tell whether it is large."""
NEAR = 1e-3
"""Share of |x|^2 + |y|^2 below which a distance is computed again: float32 has left it 4 of its 7 digits or less."""
MANY = 0.01
"""Share of all pairs above which a product of matrices in float64 is faster than pair after pair."""
PAIRS = 4096
"""Pairs that are computed again at a time."""


def distances(kernel: Kernel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, m) float32 distances between the rows of x (n, d) and y (m, d), float32.

    chi2: sum (x - y)^2 / (x + y), 0 / 0 = 0; rbf: sum (x - y)^2; laplacian: sum |x - y|.
    """
    if kernel == "rbf":
        x, y = _centred(x, y)
        norms = np.einsum("nd,nd->n", x, x)[:, None] + np.einsum("md,md->m", y, y)
        values = np.maximum(norms - 2 * (x @ y.T), 0)
        _mend_near(values, norms, x, y)
        return values
    from cvpipe.vision import pairwise  # compiles on first use, and importing numba costs half a second

    return pairwise.chi2(x, y) if kernel == "chi2" else pairwise.l1(x, y)


def _centred(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less about the mean of y, where that is far from 0; their distances are the same. It depends on y alone."""
    middle = far_middle(y[:: max(1, len(y) // SAMPLE)])
    if middle is None:
        return x, y
    moved = y - middle
    return (moved if x is y else x - middle), moved


def _mend_near(values: np.ndarray, norms: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Compute small distances again, of which the difference of large numbers left few digits, in place."""
    near = values < NEAR * norms
    count = np.count_nonzero(near)
    if count > MANY * near.size:
        wide, other = x.astype(np.float64), y.astype(np.float64)
        squares = np.einsum("nd,nd->n", wide, wide)[:, None] + np.einsum("md,md->m", other, other)
        np.copyto(values, squares - 2 * (wide @ other.T), where=near, casting="same_kind")
        near = values < NEAR * NEAR * norms
        count = np.count_nonzero(near)
    for rows, columns in zip(
        *(np.array_split(place, count // PAIRS + 1) for place in np.nonzero(near)), strict=True
    ):
        values[rows, columns] = ((x[rows] - y[columns]) ** 2).sum(axis=1)


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
