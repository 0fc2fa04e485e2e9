"""Linear classifiers by the squared hinge loss: Newton's method in the primal, all classes at once.

For each class, with targets y of +1 and -1, costs c and the constant feature 1 as the last of x:

    f(w) = |w|^2 / 2 + sum_i c_i max(0, 1 - y_i w.x_i)^2        (the bias is regularised too, as LIBLINEAR
    does)

f is convex and piecewise quadratic. Its gradient is w + X' s with s_i = -2 c_i y_i max(0, 1 - y_i w.x_i), and
on the rows with a positive loss ("active") its Hessian is I + 2 X' C X. Newton directions come from conjugate
gradients, which need X only in the products X V and X' S, where V and S have one column for each class; along
a direction f is a one-dimensional piecewise quadratic whose minimum is found exactly.

Source: Keerthi & DeCoste, "A modified finite Newton method for fast solution of large scale linear SVMs",
JMLR 2005; Lin, Weng & Keerthi, "Trust region Newton method for large-scale logistic regression", JMLR 2008,
section 3.
"""

from __future__ import annotations

import numpy as np

from cvpipe import fitting
from cvpipe.threads import map_blocks

BLOCK = 512
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""
NEWTON_STEPS = 500
"""Most Newton steps; 5 to 15 are usual, some 200 where costs times squared lengths of rows are 1e9."""
CG_STEPS = 500
"""Most conjugate gradient steps for a direction; 5 to 50 are usual. Fewer still give one of descent."""
NOISE = 1e-7
"""Below this share of the sum of its terms' lengths, a gradient is rounding error of float32."""
FORCING = 0.001
"""A direction will do when its residual is below this share of the gradient. With the 0.1 of Lin et al. 2008, section
3, features that are not normalised, or large costs, ended at 1.5 times the minimum after 100 Newton steps."""
LINE_STEPS = 20
"""Most steps of the line search; 2 to 4 are usual."""


def squared_hinge(
    rows: np.ndarray,
    targets: np.ndarray,
    costs: np.ndarray,
    tolerance: float = 1e-3,
    start: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, k) and biases (k,), float32, of k independent two-class problems on the same rows.

    rows (n, d) float32, targets (n, k) of +1 and -1, costs (n,) above 0. A problem ends when its gradient is
    below `tolerance` times its weights; as no curvature is below 1, the weights are then right to that share. It also
    ends where rounding hides the gradient, and after `NEWTON_STEPS`, which is told (`fitting.warn`).
    Products with rows are float32; weights and scores are summed in float64, or small losses would drown in them.
    `start`: weights and biases to begin with, such as those for other costs; zeros without it.
    """
    costs, lengths = 2.0 * costs[:, None], _lengths(rows)
    weights, scores = np.zeros((rows.shape[1] + 1, targets.shape[1])), np.zeros(targets.shape)
    if start is not None:
        weights += np.vstack(start)
        scores += _forward(rows, np.vstack(start))
    for _ in range(NEWTON_STEPS):
        loss = np.maximum(1 - targets * scores, 0)
        pull = costs * loss
        gradient = weights - _back(rows, (targets * pull).astype(np.float32))
        size = np.linalg.norm(gradient, axis=0)
        goal = np.maximum(tolerance * np.linalg.norm(weights, axis=0), NOISE * (lengths @ pull))
        todo = np.flatnonzero(size > goal)
        if not len(todo):
            break
        weight = (costs * (loss[:, todo] > 0)).astype(np.float32)
        step = _direction(rows, weight, gradient[:, todo].astype(np.float32))
        change = _forward(rows, step)
        length = _line_search(weights[:, todo], step, targets[:, todo], scores[:, todo], change, costs)
        weights[:, todo] += length * step
        scores[:, todo] += length * change
    else:
        fitting.warn(
            f"{len(todo)} of {len(size)} classes are not solved after {NEWTON_STEPS} steps: scale features"
        )
    result = weights.astype(np.float32)
    return result[:-1], result[-1]


def _lengths(rows: np.ndarray) -> np.ndarray:
    """(n,) lengths of the rows, with the constant feature."""
    squares = map_blocks(lambda a, b: np.einsum("nd,nd->n", rows[a:b], rows[a:b]), len(rows), BLOCK)
    return np.sqrt(np.concatenate(squares) + 1.0)


def _forward(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, k) scores X W, with the constant feature."""
    return np.concatenate(map_blocks(lambda a, b: rows[a:b] @ weights[:-1] + weights[-1], len(rows), BLOCK))


def _back(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(d + 1, k) X' S, with the constant feature."""
    product = sum(map_blocks(lambda a, b: rows[a:b].T @ values[a:b], len(rows), BLOCK))
    return np.vstack([product, values.sum(axis=0, dtype=np.float64)]).astype(np.float32, copy=False)


def _direction(rows: np.ndarray, weight: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """(d + 1, k) with Hessian x direction = -gradient nearly, by conjugate gradients for all columns."""
    result = np.zeros_like(gradient)
    live = np.arange(gradient.shape[1])
    step, residual = np.zeros_like(gradient), -gradient
    along, square = residual.copy(), _dots(residual, residual)
    goal = FORCING**2 * square
    for _ in range(CG_STEPS):
        curved = along + _back(rows, weight * _forward(rows, along))
        pace = square / np.maximum(_dots(along, curved), TINY)
        step += pace * along
        residual -= pace * curved
        before, square = square, _dots(residual, residual)
        going = square > goal
        if not going.all():  # columns that are done leave, so that products shrink
            result[:, live[~going]] = step[:, ~going]
            step, residual, along = step[:, going], residual[:, going], along[:, going]
            weight, live = weight[:, going], live[going]
            square, before, goal = square[going], before[going], goal[going]
        if not len(live):
            break
        along = residual + square / np.maximum(before, TINY) * along
    result[:, live] = step
    return result


TINY = np.finfo(np.float32).tiny
"""Keeps a quotient of two zeros at zero."""


def _dots(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(k,) inner products of the columns."""
    return np.einsum("dk,dk->k", a, b)


def _line_search(
    weights: np.ndarray,
    step: np.ndarray,
    targets: np.ndarray,
    scores: np.ndarray,
    change: np.ndarray,
    costs: np.ndarray,
) -> np.ndarray:
    """(k,) the length t >= 0 with the smallest f(w + t step): where the slope, which grows, is zero."""
    linear, square = _dots(weights, step), _dots(step, step)
    margin, gain = 1 - targets * scores, targets * change
    low, high = np.zeros_like(linear), np.full_like(linear, np.inf)
    length = np.ones_like(linear)
    for _ in range(LINE_STEPS):
        loss = margin - length * gain
        active = costs * (loss > 0)
        slope = linear + length * square - _dots(active * loss, gain)
        low, high = np.where(slope < 0, length, low), np.where(slope < 0, high, length)
        newton = length - slope / np.maximum(square + _dots(active * gain, gain), TINY)
        middle = np.where(np.isfinite(high), (low + high) / 2, 2 * length)
        following = np.where((newton > low) & (newton < high), newton, middle)
        if (np.abs(following - length) <= 1e-4 * length).all():
            return following
        length = following
    return length
