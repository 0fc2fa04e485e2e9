"""How far patches are from those most like them, in colour and place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvpipe.vision.patch_grid import Grid

ROWS, COLUMNS = 256, 512
"""Patches in a block of distances, which lies in the second-level cache."""
ROOM = 8
"""Candidates that are kept for each neighbour before the nearest are picked: once or never, where patches are few."""


def mean_distances(grids: Sequence[Grid], neighbours: int, weight: float) -> np.ndarray:
    """(m,) float32: mean distance of each patch of the first grid to the nearest patches of all, itself apart.

    The distance is that of equation 1 of Goferman, Zelnik-Manor & Tal 2012, colour / (1 + weight * place). Where there
    are fewer patches than `neighbours`, all count.
    """
    from cvpipe.vision import _nearest_kernel as kernel  # compiles on first use; importing numba is slow

    values, squares, x, y = (
        np.concatenate([getattr(grid, name) for grid in grids]) for name in ("values", "squares", "x", "y")
    )
    means = np.zeros(len(grids[0].values), np.float32)
    kept = np.empty((ROWS, ROOM * neighbours + kernel.STRIP), np.float32)
    buffer = np.empty(ROWS * COLUMNS, np.float32)
    for start in range(0, len(means), ROWS):
        rows = slice(start, min(start + ROWS, len(means)))
        size = rows.stop - start
        count, limit = np.zeros(size, np.int64), np.full(size, np.inf, np.float32)
        for left in range(0, len(values), COLUMNS):
            columns = slice(left, min(left + COLUMNS, len(values)))
            products = buffer[: size * (columns.stop - left)].reshape(size, -1)
            np.matmul(values[rows], values[columns].T, out=products)
            kernel.keep_nearest(
                products, (squares[rows], x[rows], y[rows]), (squares[columns], x[columns], y[columns]),
                np.float32(weight), start - left, neighbours, kept, count, limit,
            )  # fmt: skip
        kernel.mean_of_nearest(kept, count, neighbours, means[rows])
    return means
