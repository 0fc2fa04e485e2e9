"""Multinomial logistic regression by L-BFGS.

Source: Bishop, "Pattern recognition and machine learning", 2006, section 4.3.4; Liu & Nocedal, "On the limited memory
BFGS method for large scale optimization", Mathematical Programming 1989.
"""

from __future__ import annotations

import numpy as np

from cvpipe.threads import map_blocks

BLOCK = 512
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""


def probabilities(rows: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """(n, k) exp(x.w_j + b_j) / sum over j, for rows (n, d), weights (d, k), bias (k,); sums of 1."""
    scores = rows @ weights + bias
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    return scores / scores.sum(axis=1, keepdims=True)


def fit_softmax(
    rows: np.ndarray, truth: np.ndarray, cost: float, iterations: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, k) and biases (k,), float32, that minimise |w|^2 / 2 - cost * sum of log p(true class).

    rows (n, d) float32, truth (n,) of 0 to k - 1. Biases are free. Ends when the largest component of the gradient,
    per training row and cost, is below `tolerance`.
    """
    from scipy.optimize import minimize

    count, width, classes = len(rows), rows.shape[1], int(truth.max()) + 1
    share = 1 / (cost * count)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.reshape(width + 1, classes)
        weights, bias = table[:-1].astype(np.float32), table[-1].astype(np.float32)
        parts = map_blocks(lambda a, b: _loss(rows[a:b], truth[a:b], weights, bias), count, BLOCK)
        slope = np.sum([part[1] for part in parts], axis=0) / count
        slope[:-1] += share * table[:-1]
        value = sum(part[0] for part in parts) / count + share / 2 * float((table[:-1] ** 2).sum())
        return value, slope.ravel()

    start = np.zeros((width + 1) * classes)
    options = {"maxiter": iterations, "maxfun": 2 * iterations, "gtol": tolerance, "ftol": 1e-12, "maxls": 50}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
    table = found.reshape(width + 1, classes).astype(np.float32)
    return table[:-1], table[-1]


def _loss(
    rows: np.ndarray, truth: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> tuple[float, np.ndarray]:
    """Sum of -log p(true class), and its gradient (d + 1, k) float64."""
    share = probabilities(rows, weights, bias).astype(np.float64)
    here = np.arange(len(rows))
    loss = -np.log(np.maximum(share[here, truth], 1e-300)).sum()
    share[here, truth] -= 1
    return float(loss), np.vstack([rows.T @ share.astype(np.float32), share.sum(axis=0)])
