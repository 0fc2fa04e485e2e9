"""Whitening: rows turned and scaled so that all directions vary equally."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cvpipe.threads import map_blocks

Kind = Literal["zca", "pca", "none"]
"""zca: back in the directions of the pixels; pca: in those of most variance; none: only the mean is taken off."""
LEAST = 1e-6
"""Variance, as a share of the largest one, at which rows in float32 do not vary."""
BLOCK = 8192
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""


@dataclass(frozen=True)
class Whitening:
    """An affine map that makes rows white: (rows - mean) @ matrix."""

    mean: np.ndarray
    """(D,) float32."""
    matrix: np.ndarray
    """(D, d) float32."""
    basis: np.ndarray
    """(d, D) float32, orthonormal rows: what each white number looks like among the pixels."""

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """(n, D) float32 -> (n, d) float32."""
        return (rows - self.mean) @ self.matrix


def whitening(rows: np.ndarray, kind: Kind, epsilon: float, components: int | None = None) -> Whitening:
    """The map that whitens (n, D) float32 rows, n >= 1: each direction over sqrt(its variance + epsilon).

    epsilon, in the unit of the variances, keeps directions that hardly vary from becoming noise; those that do not vary
    at all give 0. With the kind `pca`, at most `components` directions are kept, those that vary most.

    Source: Bell & Sejnowski, "The independent components of natural scenes are edge filters", Vision Research 1997
    (zca); Coates, Lee & Ng, AISTATS 2011, section 3.2.2.
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    size = rows.shape[1]
    if kind == "none":
        matrix = basis = np.eye(size)
    else:
        variances, axes = np.linalg.eigh(_covariance(rows, mean))
        kept = axes[:, ::-1][:, : components if kind == "pca" else None]
        variances = np.maximum(variances[::-1], 0)
        known = variances + epsilon > LEAST * variances[0]  # less is rounding: such a direction is left out
        roots = np.sqrt(np.where(known, variances + epsilon, np.inf))
        scaled = kept / roots[: kept.shape[1]]
        matrix, basis = (scaled, kept.T) if kind == "pca" else (scaled @ kept.T, np.eye(size))
    return Whitening(*(np.ascontiguousarray(part, np.float32) for part in (mean, matrix, basis)))


def _covariance(rows: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """(D, D) float64, divided by the number of rows."""
    centre = mean.astype(np.float32)

    def part(start: int, stop: int) -> np.ndarray:
        block = rows[start:stop] - centre
        return (block.T @ block).astype(np.float64)

    return np.sum(map_blocks(part, len(rows), BLOCK), axis=0) / len(rows)
