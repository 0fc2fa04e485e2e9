"""The nearest of a set of centres for each row: products of matrices, a block at a time."""

from __future__ import annotations

import numpy as np

BLOCK = 1024
"""Rows in a block: with 1,000 centres their products are 4 MB, which stay in cache."""


def nearest(rows: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each row in Euclidean distance, and that squared distance.

    rows (n, d) of any real type, centres (k, d) float32, k >= 1 -> (n,) int32 index, the first of equally
    near ones, and (n,) float32, not negative. By |x - c|^2 = |x|^2 - 2 (x.c - |c|^2 / 2): the largest of the
    bracket is nearest.
    """
    index = np.empty(len(rows), np.int32)
    distance = np.empty(len(rows), np.float32)
    half_norms = np.einsum("kd,kd->k", centres, centres) / 2
    products = np.empty((min(BLOCK, len(rows)), len(centres)), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = np.asarray(rows[start : start + BLOCK], dtype=np.float32)
        part = products[: len(block)]
        np.matmul(block, centres.T, out=part)
        part -= half_norms
        best = part.argmax(axis=1)
        index[start : start + len(block)] = best
        largest = part[np.arange(len(block)), best]
        distance[start : start + len(block)] = np.einsum("nd,nd->n", block, block) - 2 * largest
    return index, np.maximum(distance, 0, out=distance)
