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
COLUMNS = 2048
"""Columns that one thread copies to float64 at a time: 16 KB for each row."""
RANK_TOLERANCE = 1e-5
"""A landmark is left out whose kernel with itself the others describe up to this share: below it, float32 kernel
values are noise, and equal rows would make K singular."""
APART = 1e-3
"""Products of rows are taken in float32 while the others leave more than this share of each row's square: the noise is
then below a thousandth of what is left. Else they are taken in float64, which takes twice as long."""
ROW_TOLERANCE = 1e-12
"""In float64 a row is left out that the others describe up to 1e-6 of its length, ten times the rounding of float32."""


def factorise(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Independent landmarks, (r,) row numbers, and the (r, r) float32 triangle G of their kernel matrix.

    kernel (m, m) float32, symmetric. Raises `ValueError` if it is zero.
    """
    if kernel.diagonal().max(initial=0) <= 0:
        raise ValueError("a kernel of zeros has no factor")
    order, factor = _triangle(kernel.astype(np.float64, order="F"), RANK_TOLERANCE)
    rank = factor.shape[1]
    return order[:rank], factor[:rank].astype(np.float32, order="F")


def narrow(rows: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Features with the inner products of (n, d) float32 rows, at most n of them, and the way back: from weights
    (r, k) of these features to (d, k) weights of the rows. With no more columns than rows they are the rows
    themselves.

    A linear machine's weights are a sum of the rows, so with fewer rows than columns it is solved on n numbers each.
    """
    if rows.shape[1] <= len(rows) or not rows.any():
        return rows, lambda weights: weights
    order, factor = _triangle(_products(rows, np.float32), APART)
    if not _copies(rows, order, factor):
        order, factor = _triangle(_products(rows, np.float64), ROW_TOLERANCE)
    mapped = np.empty(factor.shape, np.float32)
    mapped[order] = factor
    rank = factor.shape[1]
    return mapped, lambda weights: _combined(rows, order[:rank], factor[:rank], weights)


def _triangle(table: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """An order of the rows (n,), and the (n, r) triangle whose products are the (n, n) float64 table in this order.

    Rows are compared at length 1, else one large row would make all others small enough to be left out. Writes over
    the table.
    """
    from scipy.linalg import lapack

    length = np.sqrt(np.maximum(table.diagonal(), 0))
    unit = np.where(length > 0, length, 1)
    table /= unit
    table /= unit[:, None]
    factor, pivots, rank, _ = lapack.dpstrf(table, tol=tolerance, lower=1, overwrite_a=1)
    order = pivots - 1
    return order, np.tril(factor[:, :rank]) * length[order, None]


def _copies(rows: np.ndarray, order: np.ndarray, factor: np.ndarray) -> bool:
    """Whether all rows that a triangle leaves out are zeros or equal to a row that it keeps."""
    rank = factor.shape[1]
    return all(
        not rows[row].any()
        or (rank > 0 and np.array_equal(rows[row], rows[order[_nearest(factor[:rank], own)]]))
        for row, own in zip(order[rank:], factor[rank:], strict=True)
    )


def _nearest(table: np.ndarray, row: np.ndarray) -> int:
    return int(np.abs(table - row).sum(axis=1).argmin())


def _products(rows: np.ndarray, kind: type[np.floating]) -> np.ndarray:
    """(n, n) float64 products of rows, summed in float32 or float64."""
    table = np.empty((len(rows), len(rows)), order="F")
    map_blocks(lambda a, b: _fill(table, rows, a, b, kind), len(rows), BLOCK)
    return table


def _fill(table: np.ndarray, rows: np.ndarray, start: int, stop: int, kind: type[np.floating]) -> None:
    """Some columns of the lower triangle, and what mirrors them."""
    block = np.zeros((len(rows) - start, stop - start))
    step = rows.shape[1] if kind == rows.dtype else COLUMNS
    for first in range(0, rows.shape[1], step):
        part: np.ndarray = rows[start:, first : first + step].astype(kind, copy=False)
        block += part @ part[: stop - start].T
    table[start:, start:stop] = block
    table[start:stop, start:] = block.T


def _combined(rows: np.ndarray, order: np.ndarray, factor: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(d, k) float32 sum of rows with the coefficients that give the (r, k) weights of features; in float64, since
    the coefficients of rows that are nearly parallel are large and cancel."""
    from scipy.linalg import solve_triangular

    share = solve_triangular(factor, weights.astype(np.float64), lower=True, trans="T")
    parts = map_blocks(
        lambda a, b: (rows[order, a:b].T.astype(np.float64) @ share).astype(np.float32), rows.shape[1], BLOCK
    )
    return np.concatenate(parts)


def features(kernel: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """(n, r) float32 features k(x, L) G'^-1 from k(x, L), written over it."""
    from scipy.linalg import blas

    return blas.strsm(1.0, factor, kernel.T, lower=1, overwrite_b=1).T


def fold(weights: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """(r, k) coefficients a of the landmarks for weights w of the features: k(x, L) G'^-1 w = k(x, L) a."""
    from scipy.linalg import blas

    return blas.strsm(1.0, factor, weights, lower=1, trans_a=1)
