"""Coordinate descent for the lasso, compiled: what `sparse_code.lasso` runs.

Source: Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear models via coordinate descent",
Journal of Statistical Software 2010, section 2.2 (covariance updates) and 2.6 (active sets).
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import FAST, compiled

SWEEPS = 1000
"""Most sweeps over the atoms of a code; a few are usual."""
ONE_BY_ONE = 256
"""Most atoms that join one by one; the time that takes grows with the third power of their number."""
COARSE = np.float32(3)
"""Times the tolerance: how nearly coefficients rest while atoms are still added."""
TINY = np.float32(1e-6)
"""An atom whose part outside the others is smaller, squared, is a sum of them: a code has no use for it."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def _step(left: np.float32, value: np.float32, size: np.float32, penalty: np.float32) -> np.float32:
    """How far a coefficient is from its best value while the others stay. `left` is its number of q - G code, `size`
    that of the diagonal of G."""
    if size <= TINY:
        return np.float32(0)
    wanted = left + size * value
    beyond = abs(wanted) - penalty
    return (np.copysign(beyond, wanted) / size if beyond > 0 else np.float32(0)) - value


@fast
def _follow(left: np.ndarray, step: np.float32, row: np.ndarray) -> None:
    """`left` after a coefficient has moved by `step`."""
    for i in range(len(left)):
        left[i] -= step * row[i]


@fast
def _settle(
    code: np.ndarray, left: np.ndarray, gram: np.ndarray, active: np.ndarray, count: int, penalty: np.float32,
    tolerance: np.float32, near: np.ndarray, before: np.ndarray,
) -> None:  # fmt: skip
    """Move the first `count` active coefficients until they rest; only then `left` follows, which takes most."""
    for i in range(count):
        near[i], before[i] = left[active[i]], code[active[i]]
    for _ in range(SWEEPS):
        farthest = np.float32(0)
        for i in range(count):
            step = _step(near[i], code[active[i]], gram[active[i], active[i]], penalty)
            if step != 0:
                code[active[i]] += step
                farthest = max(farthest, abs(step))
                for j in range(count):
                    near[j] -= step * gram[active[i], active[j]]
        if farthest <= tolerance:
            break
    for i in range(count):
        moved = code[active[i]] - before[i]
        if moved != 0:
            _follow(left, moved, gram[active[i]])


@fast
def _largest(values: np.ndarray) -> np.float32:
    """The largest absolute value."""
    largest = np.float32(0)
    for i in range(len(values)):
        largest = max(largest, abs(values[i]))
    return largest


@fast
def _place(values: np.ndarray, size: np.float32) -> int:
    """Where the first number of this size is."""
    i = 0
    while i < len(values) - 1 and abs(values[i]) != size:
        i += 1
    return i


@fast
def _lasso_row(
    left: np.ndarray, gram: np.ndarray, penalty: np.float32, tolerance: np.float32, code: np.ndarray,
    space: tuple,
) -> None:  # fmt: skip
    """One code, by coordinates: the atom that is farthest from what it may be joins those with a coefficient, and these
    move until they rest, and so on; then sweeps over all atoms find what is missing."""
    active, near, before = space
    tolerance *= _largest(left)
    for count in range(min(len(left), ONE_BY_ONE)):
        largest = _largest(left)
        atom = _place(left, largest)
        if largest <= penalty + COARSE * tolerance or np.any(active[:count] == atom):
            break
        active[count] = atom
        _settle(code, left, gram, active, count + 1, penalty, COARSE * tolerance, near, before)
    for _ in range(SWEEPS):
        farthest, count = np.float32(0), 0
        for atom in range(len(left)):
            if code[atom] != 0 or abs(left[atom]) > penalty:
                step = _step(left[atom], code[atom], gram[atom, atom], penalty)
                if step != 0:
                    code[atom] += step
                    farthest = max(farthest, abs(step))
                    _follow(left, step, gram[atom])
            if code[atom] != 0:
                active[count] = atom
                count += 1
        if farthest <= tolerance:
            return
        _settle(code, left, gram, active, count, penalty, tolerance, near, before)


@fast
def lasso_codes(
    responses: np.ndarray, gram: np.ndarray, penalty: np.float32, tolerance: np.float32
) -> np.ndarray:
    """(n, K) codes; the (n, K) responses are overwritten."""
    codes = np.zeros_like(responses)
    count = responses.shape[1]
    space = np.empty(count, np.int64), np.empty(count, np.float32), np.empty(count, np.float32)
    for row in range(len(responses)):
        _lasso_row(responses[row], gram, penalty, tolerance, codes[row], space)
    return codes
