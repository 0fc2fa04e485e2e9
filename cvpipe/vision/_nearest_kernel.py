"""The nearest of many patches, compiled. Import it where it is used: numba takes half a second to load."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import compiled

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered, so that they run eight at a time; NaN and infinity keep their meaning."""
STRIP = 128
"""Distances that are computed before they are compared: a vector loop, then one test for most strips."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def _take(strip: np.ndarray, own: int, limit: np.float32, kept: np.ndarray, count: int) -> int:
    """Append what is below the limit, but for the place `own`; the new count."""
    for k in range(len(strip)):
        if strip[k] < limit and k != own:
            kept[count] = strip[k]
            count += 1
    return count


@fast
def _shorten(kept: np.ndarray, most: int) -> np.float32:
    """Move the `most` smallest to the front; the largest of them."""
    kept[:] = np.partition(kept, most - 1)
    return kept[:most].max()


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
    (squares, xs, ys), (other_squares, other_xs, other_ys) = of, among
    strip = np.empty(STRIP, np.float32)
    for i in range(len(products)):
        row, square, x, y = products[i], squares[i], xs[i], ys[i]
        for start in range(0, products.shape[1], STRIP):
            size = min(STRIP, products.shape[1] - start)
            near, bound = np.int32(0), limit[i]
            for k in range(size):
                j = start + k
                colour = max(square + other_squares[j] - np.float32(2) * row[j], np.float32(0))
                dx, dy = other_xs[j] - x, other_ys[j] - y
                apart = np.float32(1) + weight * np.sqrt(dx * dx + dy * dy)
                strip[k] = colour / (apart * apart)
                near += np.int32(strip[k] < bound)
            if near:
                count[i] = _take(strip[:size], own + i - start, limit[i], kept[i], count[i])
                if count[i] > kept.shape[1] - STRIP:
                    limit[i] = _shorten(kept[i, : count[i]], most)
                    count[i] = most


@fast
def mean_of_nearest(kept: np.ndarray, count: np.ndarray, most: int, out: np.ndarray) -> None:
    """Mean distance to the `most` nearest, from their squares; to fewer where there are fewer, 0 where none is."""
    for i in range(len(kept)):
        if count[i] > most:
            _shorten(kept[i, : count[i]], most)
        few = min(count[i], most)
        total = np.float32(0)
        for j in range(few):
            total += np.sqrt(kept[i, j])
        out[i] = total / np.float32(max(few, 1))
