"""What lies between the products of an autoencoder's loss and gradient on the processor, compiled.

Each kernel does a piece, in one thread. Import it where it is used: numba takes half a second. All arrays are float32
but where it is said. For the formulas see `autoencoder` and `autoencoder_gradient`; n rows of d numbers, K units.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision._codes_kernel import logistic
from cvpipe.vision.compiled import FAST, compiled

ONE, NONE = np.float32(1), np.float32(0)

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def units(
    hidden: np.ndarray, bias: np.ndarray, sigmoid: bool, kept: np.ndarray, used: np.ndarray, sums: np.ndarray
) -> None:
    """hidden (n, K) = f(hidden + b), used = hidden * kept unless there are no rows of `kept`; sums (K,) over rows."""
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
    residual: np.ndarray, output: np.ndarray, targets: np.ndarray, sums: np.ndarray, error: np.ndarray
) -> None:
    """residual (n, d) += c - targets; sums (d,) over rows; error (1,) float64, the sum of squares."""
    sums[:] = 0
    error[0] = 0
    for i in range(len(residual)):
        row, target, squared = residual[i], targets[i], NONE
        for j in range(len(row)):
            row[j] += output[j] - target[j]
            sums[j] += row[j]
            squared += row[j] * row[j]
        error[0] += squared


@fast
def slopes(
    back: np.ndarray, hidden: np.ndarray, sigmoid: bool, kept: np.ndarray, slope: np.ndarray, share: np.float32,
    sums: np.ndarray,
) -> None:  # fmt: skip
    """back (n, K) = (share * back * kept + slope of the penalty) * f'; sums (K,) over rows."""
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
def add_decay(into: np.ndarray, weights: np.ndarray, decay: np.float32, squares: np.ndarray) -> None:
    """into (k, d) += decay * weights; squares (1,) float64 becomes the sum of the squared weights."""
    squares[0] = 0
    for i in range(len(weights)):
        row, out, squared = weights[i], into[i], NONE
        for j in range(len(row)):
            out[j] += decay * row[j]
            squared += row[j] * row[j]
        squares[0] += squared


@fast
def sum_up_biases(
    back: np.ndarray, residual: np.ndarray, share: np.float32, bias: np.ndarray, output: np.ndarray
) -> None:
    """bias (K,) and output (d,) = slopes of the biases, from the sums of pieces of rows."""
    bias[:] = 0
    output[:] = 0
    for piece in range(len(back)):
        bias += back[piece]
        output += share * residual[piece]


@fast
def gather(
    rows: np.ndarray, order: np.ndarray, coins: np.ndarray, added: np.ndarray, targets: np.ndarray,
    seen: np.ndarray,
) -> None:  # fmt: skip
    """targets (n, d) = rows[order], seen = targets * coins + added, where these have rows."""
    for i in range(len(order)):
        row, target, noisy = rows[order[i]], targets[i], seen[i]
        for j in range(len(row)):
            target[j] = row[j]
        if len(coins) or len(added):  # else they are the same
            for j in range(len(row)):
                noisy[j] = target[j] * coins[i, j] if len(coins) else target[j]
        if len(added):
            for j in range(len(row)):
                noisy[j] += added[i, j]


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
    values: np.ndarray, slope: np.ndarray, mean: np.ndarray, square: np.ndarray, step: int,
    constants: tuple[float, float, float, float],
) -> None:  # fmt: skip
    """One step of Adam on (p,) values, the `step`-th from 1; `constants` are the rate, beta 1, beta 2 and epsilon of
    Kingma & Ba 2015, algorithm 1."""
    rate, beta1, beta2, epsilon = constants
    old1, new1 = np.float32(beta1), np.float32(1 - beta1)
    old2, new2 = np.float32(beta2), np.float32(1 - beta2)
    size = np.float32(rate / (1 - beta1**step))
    root, small = np.float32(1 / np.sqrt(1 - beta2**step)), np.float32(epsilon)
    for i in range(len(values)):
        mean[i] = old1 * mean[i] + new1 * slope[i]
        square[i] = old2 * square[i] + new2 * slope[i] * slope[i]
        values[i] -= size * mean[i] / (np.sqrt(square[i]) * root + small)
