"""Locality-constrained linear coding: each row as a combination of the few words nearest to it."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.assign import nearest_few

BLOCK = 1024
"""Rows in a block: with 5 words of 128 numbers their differences are 2.6 MB, which stay in cache."""


def locality_codes(
    rows: np.ndarray, words: np.ndarray, neighbours: int, ridge: float
) -> tuple[np.ndarray, np.ndarray]:
    """(n, m) int32 nearest words of each row and (n, m) float32 weights that sum to 1, m = min(neighbours, k).

    rows (n, d) of any real type, words (k, d) float32. The weights c minimise |x - sum_j c_j w_j|^2 + ridge * tr(C) *
    |c|^2 with sum_j c_j = 1, where C are the inner products of the differences w_j - x: C + ridge * tr(C) * I times c
    is one, up to the sum. If all of the words equal the row, they have the same weight.

    Source: Wang, Yang, Yu, Lv, Huang & Gong, "Locality-constrained linear coding for image classification", CVPR 2010,
    section 3 (approximated LLC) and equation 7.
    """
    few = min(neighbours, len(words))
    index = nearest_few(rows, words, few)
    weights = np.empty((len(rows), few), np.float32)
    for start in range(0, len(rows), BLOCK):
        here = slice(start, start + BLOCK)
        apart = words[index[here]] - rows[here, None]
        products = (apart @ apart.transpose(0, 2, 1)).astype(np.float64)
        trace = np.trace(products, axis1=1, axis2=2)
        products += (ridge * np.where(trace > 0, trace, 1))[:, None, None] * np.eye(few)
        solved = np.linalg.solve(products, np.ones((len(apart), few, 1)))[..., 0]
        weights[here] = solved / solved.sum(axis=1, keepdims=True)
    return index, weights
