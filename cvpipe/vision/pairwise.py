"""Sums over pairs of rows, compiled. Import it where it is used: numba takes half a second to load."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import FAST, compiled

CHI2, L1, INTERSECTION = 0, 1, 2
TILE = 32
"""Rows of y in a tile: with 1,000 numbers in a row 128 KB, which stay in a core's cache."""


@compiled(fastmath=FAST, error_model="numpy")
def _chi2(x: np.ndarray, y: np.ndarray) -> np.float32:
    total = np.float32(0)
    for d in range(len(x)):
        gap = x[d] - y[d]
        total += gap * gap / (x[d] + y[d] + np.float32(1e-30))  # so small that it only matters for 0 / 0
    return total


@compiled(fastmath=FAST, error_model="numpy")
def _l1(x: np.ndarray, y: np.ndarray) -> np.float32:
    total = np.float32(0)
    for d in range(len(x)):
        total += abs(x[d] - y[d])
    return total


@compiled(fastmath=FAST, error_model="numpy")
def _intersection(x: np.ndarray, y: np.ndarray) -> np.float32:
    total = np.float32(0)
    for d in range(len(x)):
        total += x[d] if x[d] < y[d] else y[d]
    return total


@compiled(fastmath=FAST, error_model="numpy")
def _table(kind: int, x: np.ndarray, y: np.ndarray, symmetric: bool) -> np.ndarray:
    out = np.empty((len(x), len(y)), np.float32)
    for start in range(0, len(y), TILE):
        for i in range(start if symmetric else 0, len(x)):
            for j in range(start, min(start + TILE, i + 1 if symmetric else len(y), len(y))):
                if kind == CHI2:
                    out[i, j] = _chi2(x[i], y[j])
                elif kind == L1:
                    out[i, j] = _l1(x[i], y[j])
                else:
                    out[i, j] = _intersection(x[i], y[j])
                if symmetric:
                    out[j, i] = out[i, j]
    return out


def _pairs(kind: int, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    same = x is y
    x = np.ascontiguousarray(x, np.float32)
    return _table(kind, x, x if same else np.ascontiguousarray(y, np.float32), same)


def chi2(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, m) float32: sum (x - y)^2 / (x + y) with 0 / 0 = 0, for x (n, d), y (m, d) not negative.

    If x and y are the same array, half is computed and mirrored; the same holds for the other two.
    """
    return _pairs(CHI2, x, y)


def l1(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, m) float32: sum |x - y|."""
    return _pairs(L1, x, y)


def intersection(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n, m) float32: sum min(x, y)."""
    return _pairs(INTERSECTION, x, y)
