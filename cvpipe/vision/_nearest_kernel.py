"""The nearest of many patches, compiled. Import it where it is used: numba takes half a second to load."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import compiled

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered, so that they run eight at a time; NaN and infinity keep their meaning."""
STRIP = 64
"""Distances that are computed before they are compared: a vector loop, then one test for most strips."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def _distances(
    products: np.ndarray, square: np.float32, x: np.float32, y: np.float32,
    squares: np.ndarray, xs: np.ndarray, ys: np.ndarray, weight: np.float32, out: np.ndarray,
) -> np.float32:  # fmt: skip
    """Squared distances of one patch to a strip of others, written to `out`; returns the smallest."""
    least = np.float32(np.inf)
    for j in range(len(products)):
        colour = max(square + squares[j] - np.float32(2) * products[j], np.float32(0))
        dx, dy = xs[j] - x, ys[j] - y
        apart = np.float32(1) + weight * np.sqrt(dx * dx + dy * dy)
        out[j] = colour / (apart * apart)
        least = min(least, out[j])
    return least


@fast
def keep_nearest(
    products: np.ndarray, of: tuple[np.ndarray, np.ndarray, np.ndarray],
    among: tuple[np.ndarray, np.ndarray, np.ndarray], weight: np.float32, own: int, most: int,
    kept: np.ndarray, count: np.ndarray, limit: np.ndarray,
) -> None:  # fmt: skip
    """Add those of m patches that may be among the `most` nearest of each of b patches.

    `products` (b, m) float32 inner products; `of` and `among` (b,) and (m,) float32 squared lengths, x and y. The
    squared distance is that of the vectors over (1 + weight * distance of the places)^2. Patch i itself is column
    own + i and does not count; `own` lies below -b where it is not there. `kept` (b, capacity) float32 holds
    `count` (b,) int64 candidates, all below `limit` (b,) float32, among them the `most` nearest.
    """
    squares, xs, ys = of
    strip = np.empty(STRIP, np.float32)
    for i in range(len(products)):
        for start in range(0, products.shape[1], STRIP):
            stop = min(start + STRIP, products.shape[1])
            least = _distances(
                products[i, start:stop], squares[i], xs[i], ys[i],
                among[0][start:stop], among[1][start:stop], among[2][start:stop], weight, strip,
            )  # fmt: skip
            if least < limit[i]:
                for j in range(stop - start):
                    if strip[j] < limit[i] and start + j != own + i:
                        kept[i, count[i]] = strip[j]
                        count[i] += 1
                if count[i] > kept.shape[1] - STRIP:
                    kept[i, : count[i]] = np.partition(kept[i, : count[i]], most - 1)
                    count[i] = most
                    limit[i] = kept[i, :most].max()


@fast
def mean_of_nearest(kept: np.ndarray, count: np.ndarray, most: int, out: np.ndarray) -> None:
    """Mean distance to the `most` nearest, from their squares; to fewer where there are fewer, 0 where none is."""
    for i in range(len(kept)):
        if count[i] > most:
            kept[i, : count[i]] = np.partition(kept[i, : count[i]], most - 1)
        few = min(count[i], most)
        total = np.float32(0)
        for j in range(few):
            total += np.sqrt(kept[i, j])
        out[i] = total / np.float32(max(few, 1))
