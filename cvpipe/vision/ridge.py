"""Least squares with a penalty on the weights.

Source: Hoerl & Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 1970.
"""

from __future__ import annotations

import numpy as np

from cvpipe.threads import map_blocks

BLOCK = 512
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""


def ridge(rows: np.ndarray, targets: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, k) and biases (k,), float32, that minimise |X w + b - y|^2 + penalty |w|^2.

    rows (n, d), targets (n, k); the penalty is above 0. Solved in float64 by d or n equations, whichever is less.
    """
    from scipy.linalg import solve

    mean, centre = rows.mean(axis=0, dtype=np.float64), targets.mean(axis=0, dtype=np.float64)
    x, y = rows - mean, targets - centre
    if len(x) < x.shape[1]:
        table = np.concatenate(map_blocks(lambda a, b: x[a:b] @ x.T, len(x), BLOCK))
        table[np.diag_indices_from(table)] += penalty
        weights = x.T @ solve(table, y, assume_a="pos")
    else:
        table = np.sum(map_blocks(lambda a, b: x[a:b].T @ x[a:b], len(x), _block(x.shape)), axis=0)
        table[np.diag_indices_from(table)] += penalty
        weights = solve(table, x.T @ y, assume_a="pos")
    return weights.astype(np.float32), (centre - mean @ weights).astype(np.float32)


def _block(shape: tuple[int, ...]) -> int:
    """Rows in a block, so that there are eight at most: each gives a (d, d) table."""
    return max(BLOCK, -(-shape[0] // 8))
