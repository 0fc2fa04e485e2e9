"""Multinomial logistic regression by L-BFGS, in columns that are made alike.

L-BFGS is slow where curvatures differ, as they do in columns of unequal spread. So it looks for the weights of centred
columns, which moves the biases only, and for these in units in which all curvatures are near 1: 1 / sqrt(mean p (1 - p)
* variance + penalty) for a weight. The objective stays that of the columns as they are. p changes on the way, and where
classes are separable the loss falls by powers of ten, so units and scale are taken anew until that gains nothing.

Source: Bishop, "Pattern recognition and machine learning", 2006, section 4.3.4; Liu & Nocedal, "On the limited memory
BFGS method for large scale optimization", Mathematical Programming 1989.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cvpipe import fitting
from cvpipe.threads import map_blocks

BLOCK = 512
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""
GAIN = 1e-4
"""New units are taken while the last ones lowered the objective by more than this share."""
STALL = 1e-10
"""A step that lowers the objective by less than this share is the last one in its units: float32 gives no more."""
LEAST = 1e-12
"""Mean p (1 - p) is taken to be this at least, or a class that is certain everywhere would have no unit."""


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
    as a share of the objective and for weights in units of curvature 1, is below `tolerance`; or after `iterations`,
    which is told (`fitting.warn`).
    """
    mean = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    problem = _Problem(rows - mean, truth, int(truth.max()) + 1, 1 / (cost * len(rows)))
    table, value = np.zeros((rows.shape[1] + 1, problem.classes)), np.log(problem.classes)
    left = iterations
    while left > 0:
        found, table = problem.improved(table, value, left, tolerance)
        left -= max(found.nit, 1)
        if found.fun > 1 - GAIN:
            break
        value *= found.fun
    else:
        fitting.warn(f"softmax is not at its minimum after {iterations} iterations: standardize features")
    weights = table[:-1].astype(np.float32)
    return weights, (table[-1] - mean @ weights.astype(np.float64)).astype(np.float32)


class _Problem:
    """The objective per training row and cost, on centred rows."""

    def __init__(self, rows: np.ndarray, truth: np.ndarray, classes: int, share: float) -> None:
        self.rows, self.truth, self.classes, self.share = rows, truth, classes, share
        squares = self._blocks(lambda a, b: np.einsum("nd,nd->d", rows[a:b], rows[a:b]))
        self.variances = np.sum(squares, axis=0, dtype=np.float64) / len(rows)

    def improved(
        self, table: np.ndarray, value: float, iterations: int, tolerance: float
    ) -> tuple[Any, np.ndarray]:
        """What L-BFGS says, its objective as a share of `value`, and the (d + 1, k) weights and biases it found."""
        from scipy.optimize import minimize

        units = self._units(table, value)

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            loss, slope = self._objective(flat.reshape(units.shape) * units)
            return loss / value, (slope * units).ravel() / value

        options = {
            "maxiter": iterations,
            "maxfun": 2 * iterations,
            "gtol": tolerance,
            "ftol": STALL,
            "maxls": 50,
        }
        start = (table / units).ravel()
        found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
        return found, found.x.reshape(units.shape) * units

    def _objective(self, table: np.ndarray) -> tuple[float, np.ndarray]:
        """Its value at weights and biases (d + 1, k) float64, and the gradient."""
        weights, bias = table[:-1].astype(np.float32), table[-1].astype(np.float32)
        parts = self._blocks(lambda a, b: _loss(self.rows[a:b], self.truth[a:b], weights, bias))
        slope = np.sum([part[1] for part in parts], axis=0) / len(self.rows)
        slope[:-1] += self.share * table[:-1]
        loss = sum(part[0] for part in parts) / len(self.rows)
        return loss + self.share / 2 * float((table[:-1] ** 2).sum()), slope

    def _units(self, table: np.ndarray, value: float) -> np.ndarray:
        """(d + 1, k) what 1 stands for in each weight and bias: there the objective, over `value`, has curvature 1."""
        weights, bias = table[:-1].astype(np.float32), table[-1].astype(np.float32)
        sums = self._blocks(lambda a, b: _spread(probabilities(self.rows[a:b], weights, bias)))
        spread = np.maximum(np.sum(sums, axis=0) / len(self.rows), LEAST)
        return np.sqrt(value / np.vstack([np.outer(self.variances, spread) + self.share, spread]))

    def _blocks(self, work: Callable[[int, int], Any]) -> list[Any]:
        return map_blocks(work, len(self.rows), BLOCK)


def _spread(chances: np.ndarray) -> np.ndarray:
    """(k,) sums of p (1 - p)."""
    return (chances * (1 - chances)).sum(axis=0, dtype=np.float64)


def _loss(
    rows: np.ndarray, truth: np.ndarray, weights: np.ndarray, bias: np.ndarray
) -> tuple[float, np.ndarray]:
    """Sum of -log p(true class), and its gradient (d + 1, k) float64.

    In float64 from the scores on: in float32 a p near 1 is 1, and what is left to learn of it would be lost.
    """
    scores = (rows @ weights + bias).astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    share = np.exp(scores)
    total = share.sum(axis=1)
    here = np.arange(len(rows))
    loss = (np.log(total) - scores[here, truth]).sum()
    share /= total[:, None]
    share[here, truth] -= 1
    return float(loss), np.vstack([rows.T @ share.astype(np.float32), share.sum(axis=0)])
