"""The nearest of a set of centres for each row: products of matrices, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

OFFSET = 10.0
"""Squared length of the mean of rows by their variance, above which distances are of rows less the mean: of the 7
digits of a float32, |x|^2 + |y|^2 - 2 x.y loses as many as this number has. Standardized rows have 0, digits 2.4."""
BLOCK = 512
"""Rows in a block: with 1,000 centres their products are 2 MB, which stay in cache."""


def nearest(rows: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each row in Euclidean distance, and that squared distance.

    rows (n, d) of any real type, centres (k, d) float32, k >= 1 -> (n,) int32 index, the first of equally
    near ones, and (n,) float32, not negative.
    """
    index = np.empty(len(rows), np.int32)
    distance = np.empty(len(rows), np.float32)
    for here, block, products in closeness(rows, centres):
        best = products.argmax(axis=1)
        index[here] = best
        lengths = np.einsum("nd,nd->n", block, block)
        distance[here] = lengths - 2 * products[np.arange(len(block)), best]
    return index, np.maximum(distance, 0, out=distance)


def nearest_few(rows: np.ndarray, centres: np.ndarray, count: int) -> np.ndarray:
    """(n, count) int32: the nearest centres of each row, the nearest first; 1 <= count <= k.

    One search for the largest product for each of them: `count` is small, and numpy's searches are vectorised where
    its partial sorts are not.
    """
    index = np.empty((len(rows), count), np.int32)
    for here, block, products in closeness(rows, centres):
        for place in range(count):
            best = products.argmax(axis=1)
            index[here, place] = best
            products[np.arange(len(block)), best] = -np.inf
    return index


def closeness(rows: np.ndarray, centres: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Blocks of rows: where they stand, (m, d) float32 rows, (m, k) float32 x.c - |c|^2 / 2 for each centre.

    |x - c|^2 = |x|^2 - 2 (x.c - |c|^2 / 2), so the centre with the largest is nearest. The subtraction is part of the
    product: rows end in 1, centres in -|c|^2 / 2. Both arrays are written over by the next block. Where centres lie far
    from 0, rows and centres are less their mean.
    """
    middle = far_middle(centres)
    centres = centres if middle is None else centres - middle
    norms = np.einsum("kd,kd->k", centres, centres, dtype=np.float64)
    longer = np.column_stack([centres, -norms / 2]).astype(np.float32)
    block = np.ones((min(BLOCK, len(rows)), longer.shape[1]), np.float32)
    products = np.empty((len(block), len(centres)), np.float32)
    for start in range(0, len(rows), BLOCK):
        here = slice(start, min(start + BLOCK, len(rows)))
        count = here.stop - start
        if middle is None:
            block[:count, :-1] = rows[here]
        else:
            np.subtract(rows[here], middle, out=block[:count, :-1])
        np.matmul(block[:count], longer.T, out=products[:count])
        yield here, block[:count, :-1], products[:count]


def far_middle(rows: np.ndarray) -> np.ndarray | None:
    """The mean of (n, d) rows where it is far from 0 for how far they are apart; else None."""
    if not len(rows):
        return None
    middle = rows.mean(axis=0)
    spread = ((rows - middle) ** 2).sum(axis=1).mean()
    return middle if middle @ middle > OFFSET * spread else None
