"""Decision trees as arrays: they need no library to decide, and nothing but numbers is saved."""

from __future__ import annotations

import numpy as np

LEAF = -1
"""In place of a feature: the node is a leaf."""


def shares(
    rows: np.ndarray,
    roots: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    children: np.ndarray,
    values: np.ndarray,
) -> np.ndarray:
    """(n, k) float32 mean over trees of the values of the leaf that each row falls into.

    rows (n, d) float32; roots (t,) node of each tree's root; feature (m,) or `LEAF`; threshold (m,) float64;
    children (m, 2): the next node for rows whose feature is at most the threshold, and for the others; values (m, k).
    """
    total = np.zeros((len(rows), values.shape[1]), np.float64)
    for root in roots.tolist():
        node = np.full(len(rows), root)
        walking = np.arange(len(rows))
        while len(walking):
            at = node[walking]
            inner = feature[at] != LEAF
            walking, at = walking[inner], at[inner]
            over = rows[walking, feature[at]] > threshold[at]
            node[walking] = children[at, over.astype(np.int64)]
        total += values[node]
    return (total / len(roots)).astype(np.float32)
