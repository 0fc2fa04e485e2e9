"""Principal components: eigenvectors of a covariance that is summed in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from cvpipe.threads import map_blocks

BLOCK_NUMBERS = 2**22
"""Numbers in a block of rows: 32 MB of float64."""
COLUMNS = 2048
"""Columns that one thread takes at a time. A constant, so that sums never depend on the number of threads."""
RANK_TOLERANCE = 1e-9
"""Directions with less than this share of the largest variance, a deviation of 3e-5 of the largest, are taken for
rounding errors. One rounding to float32 leaves a deviation of 1e-7; rows are made of many rounded numbers, for which
300 times as much is left as room."""
ROUNDING = 1e-14
"""Variance of equal float32 numbers that rounding can make, as a share of their squared mean: 1e-7 squared."""


@dataclass(frozen=True)
class Components:
    """The directions in which rows vary most, and how much they do."""

    mean: np.ndarray
    """(d,) float64."""
    axes: np.ndarray
    """(d, k) float64, columns of length 1, most variance first."""
    variances: np.ndarray
    """(k,) float64, divided by the number of rows."""


def principal_components(rows: np.ndarray, count: int) -> Components:
    """At most `count` components of (n, d) rows of any real type; fewer if the rows vary in fewer directions.

    The largest entry of each axis is positive, the first of equal ones. Sums are float64. With fewer rows
    than columns it is the (n, n) matrix of inner products whose eigenvectors are computed, which gives the
    same axes.

    Source: Jolliffe, "Principal component analysis", 2nd edition 2002, sections 1.1 and 3.5.
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    noise = float((mean**2).max(initial=0)) * ROUNDING
    if len(rows) < rows.shape[1]:
        variances, axes = _from_products(rows, mean, count, noise)
    else:
        variances, axes = _largest(_covariance(rows, mean), count, noise)
    peaks = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return Components(mean, axes * np.where(peaks < 0, -1.0, 1.0), variances)


def _covariance(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(d, d) float64; memory for it and one block, whatever the number of rows."""
    width = len(mean)
    total, block = np.zeros((width, width)), max(1, BLOCK_NUMBERS // width)
    for start in range(0, len(rows), block):
        centred = rows[start : start + block] - mean
        map_blocks(partial(_add_products, total, centred), width, COLUMNS)
    return total / len(rows)


def _add_products(total: np.ndarray, rows: np.ndarray, start: int, stop: int) -> None:
    total[:, start:stop] += rows.T @ rows[:, start:stop]


def _from_products(
    rows: np.ndarray, mean: np.ndarray, count: int, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and vectors of the covariance by way of the inner products of the centred rows."""

    def centred(start: int, stop: int) -> np.ndarray:
        return rows[:, start:stop] - mean[start:stop]

    def part(start: int, stop: int) -> np.ndarray:
        block = centred(start, stop)
        return block @ block.T

    products = np.sum(map_blocks(part, len(mean), COLUMNS), axis=0)
    variances, sides = _largest(products / len(rows), count, noise)
    sides /= np.sqrt(variances * len(rows))
    axes = map_blocks(lambda start, stop: centred(start, stop).T @ sides, len(mean), COLUMNS)
    return variances, np.concatenate(axes)


def _largest(matrix: np.ndarray, count: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest eigenvalues of a symmetric matrix, as far as they are above rounding errors, and their
    eigenvectors."""
    from scipy.linalg import eigh

    size = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=(max(0, size - count), size - 1))
    kept = np.flatnonzero(values > max(values[-1] * RANK_TOLERANCE, noise))[::-1]
    return values[kept], vectors[:, kept]
