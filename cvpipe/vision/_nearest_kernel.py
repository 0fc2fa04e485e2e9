"""The nearest of many patches, compiled. Import it where it is used: numba takes half a second to load."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import FAST, compiled

STRIP = 128
"""Distances that are computed before they are compared: a vector loop, then one test for most strips."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def _at_rank(values: np.ndarray, rank: int) -> np.float32:
    """A bound: no more than `rank` values lie below it, the others of the `rank` smallest are equal to it.

    Found by halving the interval it lies in, which ends at the first bound that parts the smallest from the others.
    Floats of at least 0, as all values are, are in the order of their bits. Counting runs on vectors, unlike sorting;
    numba makes 64 bits of any sum of integers, so each is made 32 again, or half as many would fit in a vector.
    """
    bits = values.view(np.int32)
    low, high = max(bits.min(), np.int32(0)), bits.max()  # bits of -0.0 are below 0
    while low < high:
        middle = np.int32(low + (high - low) // 2)
        count = np.int32(0)
        for k in range(len(bits)):
            count = np.int32(count + np.int32(bits[k] <= middle))
        if count == rank:
            low = high = middle
        elif count < rank:
            low = np.int32(middle + 1)
        else:
            high = middle
    return np.int32(low).view(np.float32)


@fast
def _take(values: np.ndarray, limit: np.float32) -> int:
    """Move what is below the limit to the front; how many. Without branches: the next one overwrites what is not."""
    count = np.uint64(0)  # an index that cannot be negative needs no look at that
    for k in range(len(values)):
        values[count] = values[k]
        count += np.uint64(values[k] < limit)
    return int(count)


@fast
def _shorten(kept: np.ndarray, most: int) -> np.float32:
    """Move the `most` smallest to the front; a bound they do not exceed."""
    bound = _at_rank(kept, most)
    for k in range(_take(kept, bound), most):  # it and its equals
        kept[k] = bound
    return bound


@compiled(fastmath=FAST, error_model="numpy", inline="always")  # passing nine arrays takes as long as a strip
def _distances(
    inner: np.ndarray, one: tuple[float, float, float], others: tuple[np.ndarray, np.ndarray, np.ndarray],
    weight: np.float32, bound: np.float32, out: np.ndarray,
) -> np.int32:  # fmt: skip
    """Squared distances of one patch from m others, to (m,) float32 `out`; how many are below the bound."""
    near = np.int32(0)
    square, x, y = one
    squares, xs, ys = others
    for k in range(len(out)):
        colour = max(square + squares[k] - np.float32(2) * inner[k], np.float32(0))
        dx, dy = xs[k] - x, ys[k] - y
        apart = np.float32(1) + weight * np.sqrt(dx * dx + dy * dy)
        out[k] = colour / (apart * apart)
        near = np.int32(near + np.int32(out[k] < bound))
    return near


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
    `count` (b,) int64 candidates, among them the `most` nearest; `limit` (b,) float32 is not below any of these.
    """
    for i in range(len(products)):
        one = of[0][i], of[1][i], of[2][i]
        for start in range(0, products.shape[1], STRIP):
            stop = min(start + STRIP, products.shape[1])
            others = among[0][start:stop], among[1][start:stop], among[2][start:stop]
            strip = kept[i, count[i] : count[i] + stop - start]
            near = _distances(products[i, start:stop], one, others, weight, limit[i], strip)
            mine = start <= own + i < stop
            if mine:
                strip[own + i - start] = np.inf
            if near == len(strip) and not mine:
                count[i] += near
            elif near > 0:
                count[i] += _take(strip, limit[i])
            if count[i] > kept.shape[1] - STRIP:
                limit[i] = _shorten(kept[i, : count[i]], most)
                count[i] = most


@fast
def mean_of_nearest(kept: np.ndarray, count: np.ndarray, most: int, out: np.ndarray) -> None:
    """Mean distance to the `most` nearest, from their squares; to fewer where there are fewer, 0 where none is."""
    for i in range(len(out)):
        few = min(count[i], most)
        if few == 0:
            out[i] = 0
            continue
        squares = kept[i, : count[i]]
        largest = _at_rank(squares, few)
        total, below = np.float32(0), np.int32(0)
        for k in range(len(squares)):
            near = squares[k] < largest
            total += np.sqrt(squares[k]) if near else np.float32(0)
            below = np.int32(below + np.int32(near))
        out[i] = (total + (few - below) * np.sqrt(largest)) / np.float32(few)  # it and its equals
