"""The loss of an autoencoder and its gradient on the processor, compiled: products, and what lies between them.

Each kernel does one piece, in one thread, without Python. Import it where it is used: numba takes half a second.
All arrays are float32. For the formulas see `autoencoder` and `autoencoder_gradient`; n rows of d numbers, K units.
"""

from __future__ import annotations

import numpy as np

from cvpipe.nets._blas import multiply
from cvpipe.vision._codes_kernel import logistic
from cvpipe.vision.compiled import compiled

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered, so that they run eight at a time; NaN and infinity keep their meaning."""
ONE, NONE = np.float32(1), np.float32(0)

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def units(
    sgemm: int, seen: np.ndarray, encoder: np.ndarray, bias: np.ndarray, sigmoid: bool, kept: np.ndarray,
    hidden: np.ndarray, used: np.ndarray, sums: np.ndarray,
) -> None:  # fmt: skip
    """hidden (n, K) = f(seen A + b), used = hidden * kept unless there are no rows of `kept`; sums (K,) over rows."""
    multiply(sgemm, seen, encoder, False, True, 1.0, 0.0, hidden)
    sums[:] = 0
    for i in range(len(hidden)):
        row = hidden[i]
        if sigmoid:
            for k in range(len(row)):
                row[k] = logistic(row[k] + bias[k])
                sums[k] += row[k]
        else:
            for k in range(len(row)):
                row[k] = max(row[k] + bias[k], NONE)
                sums[k] += row[k]
        if len(kept):
            for k in range(len(row)):
                used[i, k] = row[k] * kept[i, k]


@fast
def residuals(
    sgemm: int, used: np.ndarray, decoder: np.ndarray, output: np.ndarray, targets: np.ndarray,
    residual: np.ndarray, sums: np.ndarray,
) -> float:  # fmt: skip
    """residual (n, d) = used D + c - targets; sums (d,) over rows; gives the sum of squares."""
    multiply(sgemm, used, decoder, False, False, 1.0, 0.0, residual)
    sums[:] = 0
    error = 0.0
    for i in range(len(residual)):
        row, target, squared = residual[i], targets[i], NONE
        for j in range(len(row)):
            row[j] += output[j] - target[j]
            sums[j] += row[j]
            squared += row[j] * row[j]
        error += squared
    return error


@fast
def slopes(
    sgemm: int, residual: np.ndarray, decoder: np.ndarray, hidden: np.ndarray, sigmoid: bool, kept: np.ndarray,
    slope: np.ndarray, share: np.float32, back: np.ndarray, sums: np.ndarray,
) -> None:  # fmt: skip
    """back (n, K) = (share * residual D' * kept + slope of the penalty) * f'; sums (K,) over rows."""
    multiply(sgemm, residual, decoder, False, True, 1.0, 0.0, back)
    sums[:] = 0
    for i in range(len(back)):
        row, active = back[i], hidden[i]
        if len(kept):
            for k in range(len(row)):
                row[k] *= kept[i, k]
        if sigmoid:
            for k in range(len(row)):
                row[k] = (row[k] * share + slope[k]) * (active[k] * (ONE - active[k]))
                sums[k] += row[k]
        else:
            for k in range(len(row)):
                row[k] = row[k] * share + slope[k] if active[k] > NONE else NONE
                sums[k] += row[k]


@fast
def sum_up(
    sgemm: int, back: np.ndarray, seen: np.ndarray, used: np.ndarray, residual: np.ndarray, encoder: bool,
    decoder: bool, weights: np.ndarray, decay: np.float32, into: np.ndarray,
) -> float:  # fmt: skip
    """into (k, d) = slope of k units' weights, of encoder, decoder or both; gives the sum of their squares."""
    if encoder:
        multiply(sgemm, back, seen, True, False, 1.0, 0.0, into)
    if decoder:
        multiply(sgemm, used, residual, True, False, 1 / len(residual), 1.0 if encoder else 0.0, into)
    squares = 0.0
    for i in range(len(weights)):
        row, out, squared = weights[i], into[i], NONE
        for j in range(len(row)):
            out[j] += decay * row[j]
            squared += row[j] * row[j]
        squares += squared
    return squares


@fast
def sum_up_biases(
    back: np.ndarray, residual: np.ndarray, share: np.float32, bias: np.ndarray, output: np.ndarray
) -> float:
    """bias (K,) and output (d,) = slopes of the biases, from the sums of pieces of rows; gives 0: they do not decay."""
    bias[:] = 0
    output[:] = 0
    for piece in range(len(back)):
        bias += back[piece]
        output += share * residual[piece]
    return 0.0


@fast
def pick(rows: np.ndarray, out: np.ndarray, order: np.ndarray, start: int, stop: int) -> None:
    """out[start:stop] = rows[order[start:stop]], of (n, d) rows."""
    for i in range(start, stop):
        for j in range(out.shape[1]):
            out[i, j] = rows[order[i], j]


@fast
def penalty_slope(
    sums: np.ndarray, n: int, kind: int, rho: float, beta: float, edge: float, slope: np.ndarray
) -> float:
    """slope (K,): of the penalty by each activation, from sums (pieces, K) over n rows; gives the penalty.

    `kind` is 0 for none, 1 for the mean of activations, 2 for KL, whose means stay `edge` away from 0 and 1.
    """
    penalty = 0.0
    for k in range(len(slope)):
        total = 0.0
        for piece in range(len(sums)):
            total += sums[piece, k]
        mean = total / n
        if kind == 0:
            slope[k] = 0
        elif kind == 1:
            slope[k] = beta / n
            penalty += beta * mean
        else:
            mean = min(max(mean, edge), 1 - edge)
            slope[k] = beta * (mean - rho) / (mean - mean * mean) / n
            penalty += beta * (rho * np.log(rho / mean) + (1 - rho) * np.log((1 - rho) / (1 - mean)))
    return penalty


@fast
def adam(
    values: np.ndarray, slope: np.ndarray, mean: np.ndarray, square: np.ndarray, step: int, rate: float,
    beta1: float, beta2: float, epsilon: float,
) -> None:  # fmt: skip
    """One step of Adam on (p,) values, the `step`-th from 1; Kingma & Ba 2015, algorithm 1."""
    old1, new1, old2, new2 = (
        np.float32(beta1),
        np.float32(1 - beta1),
        np.float32(beta2),
        np.float32(1 - beta2),
    )
    size = np.float32(rate / (1 - beta1**step))
    root, small = np.float32(1 / np.sqrt(1 - beta2**step)), np.float32(epsilon)
    for i in range(len(values)):
        mean[i] = old1 * mean[i] + new1 * slope[i]
        square[i] = old2 * square[i] + new2 * slope[i] * slope[i]
        values[i] -= size * mean[i] / (np.sqrt(square[i]) * root + small)
