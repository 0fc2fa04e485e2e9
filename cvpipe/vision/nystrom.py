"""A kernel as a product of features, by some rows that stand for all: the Nystrom approximation.

With landmark rows L and their kernel matrix K = k(L, L) = G G' (Cholesky), the features of a row x are k(x,
L) G'^-1: their products are the kernel, exactly between landmarks and nearly elsewhere. If every training row
is a landmark, a linear classifier on these features is the kernel machine itself. (The usual K^-1/2 differs
from G'^-1 by a rotation, which no inner product sees, and costs ten times as much.)

Source: Williams & Seeger, "Using the Nystrom method to speed up kernel machines", NIPS 2001; Harbrecht,
Peters & Schneider, "On the low-rank approximation by the pivoted Cholesky decomposition", Appl. Numer. Math.
2012.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cvpipe.threads import map_blocks

BLOCK = 512
"""Rows that one thread takes at a time."""
RANK_TOLERANCE = 1e-5
"""Landmarks that the others describe up to this share of the largest kernel value are left out: below it,
float32 kernel values are noise, and equal rows would make K singular."""


def factorise(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Independent landmarks, (r,) row numbers, and the (r, r) float32 triangle G of their kernel matrix.

    kernel (m, m) float32, symmetric. Raises `ValueError` if it is zero.
    """
    from scipy.linalg import lapack

    largest = float(kernel.diagonal().max(initial=0))
    if largest <= 0:
        raise ValueError("a kernel of zeros has no factor")
    factor, pivots, rank, _ = lapack.dpstrf(
        kernel.astype(np.float64, order="F"), tol=RANK_TOLERANCE * largest, lower=1, overwrite_a=1
    )
    return pivots[:rank] - 1, np.tril(factor[:rank, :rank]).astype(np.float32, order="F")


def narrow(rows: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Features with the inner products of (n, d) float32 rows, at most n of them, and the way back: from weights
    (r, k) of these features to (d, k) weights of the rows. With no more columns than rows they are the rows
    themselves.

    A linear machine's weights are a sum of the rows, so with fewer rows than columns it is solved on n numbers each.
    """
    if rows.shape[1] <= len(rows) or not rows.any():
        return rows, lambda weights: weights
    table = np.concatenate(map_blocks(lambda a, b: rows[a:b] @ rows.T, len(rows), BLOCK))
    order, factor = factorise(table)
    mapped = features(np.ascontiguousarray(table[:, order]), factor)
    return mapped, lambda weights: rows[order].T @ fold(weights, factor)


def features(kernel: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """(n, r) float32 features k(x, L) G'^-1 from k(x, L), written over it."""
    from scipy.linalg import blas

    return blas.strsm(1.0, factor, kernel.T, lower=1, overwrite_b=1).T


def fold(weights: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """(r, k) coefficients a of the landmarks for weights w of the features: k(x, L) G'^-1 w = k(x, L) a."""
    from scipy.linalg import blas

    return blas.strsm(1.0, factor, weights, lower=1, trans_a=1)
