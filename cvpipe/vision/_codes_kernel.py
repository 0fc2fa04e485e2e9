"""From responses of filters to codes, and their sums, compiled. Import it where it is used: numba takes half a second.

NumPy walks over the responses once for every operation, and its `tanh` alone takes as long as the product that the
responses come from.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import compiled

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered, so that they run eight at a time; NaN and infinity keep their meaning."""
LOG2_E = np.float32(1.4426950408889634)
MOST = np.float32(126)
"""Largest exponent, and least if negative: beyond 87 a logistic function is 0 or 1 in float32."""
P1, P2, P3, P4, P5, P6 = map(
    np.float32, (6.9314720e-1, 2.4022648e-1, 5.5503325e-2, 9.6184373e-3, 1.3398874e-3, 1.5353362e-4)
)
"""2^f = 1 + P1 f + … + P6 f^6 for |f| <= 0.5, within 3e-7: the Cephes library's exp2f (S. Moshier, 1989)."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def logistic(z: np.float32) -> np.float32:
    """1 / (1 + exp(-z)), within 1.5e-7."""
    power = min(max(-LOG2_E * z, -MOST), MOST)
    whole = np.floor(power + np.float32(0.5))
    f = power - whole
    series = ((((P6 * f + P5) * f + P4) * f + P3) * f + P2) * f + P1
    scale = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32(1) / (np.float32(1) + (series * f + np.float32(1)) * scale)


@fast
def sigmoid(responses: np.ndarray) -> None:
    """Overwrite (n, K) float32 with 1 / (1 + exp(-z))."""
    for i in range(len(responses)):
        row = responses[i]
        for k in range(len(row)):
            row[k] = logistic(row[k])


@fast
def split(responses: np.ndarray, nearer: np.float32, codes: np.ndarray) -> None:
    """(n, K) float32 -> codes (n, 2 K): max(0, z - nearer) and max(0, -z - nearer)."""
    count = responses.shape[1]
    for i in range(len(responses)):
        row, positive, negative = responses[i], codes[i, :count], codes[i, count:]
        for k in range(count):
            positive[k] = max(row[k] - nearer, np.float32(0))
            negative[k] = max(-row[k] - nearer, np.float32(0))


@fast
def triangle(squares: np.ndarray) -> None:
    """Overwrite (n, K) float32 squared distances with max(0, mean distance of the row - distance)."""
    for i in range(len(squares)):
        row, total = squares[i], np.float32(0)
        for k in range(len(row)):
            row[k] = np.sqrt(max(row[k], np.float32(0)))
            total += row[k]
        mean = total / np.float32(len(row))
        for k in range(len(row)):
            row[k] = max(mean - row[k], np.float32(0))


@fast
def add_sums(
    vectors: np.ndarray, left: int, right: int, origin: np.ndarray, total: np.ndarray, squared: np.ndarray
) -> None:
    """total += sum of (v - origin), squared += sum of (v - origin)^2, over [:, left:right] of (n, m, K) float32.

    Sums are float32 within the call, `total` and `squared` (K,) float64. `origin` (K,) float32.
    """
    sums, squares = np.zeros(len(origin), np.float32), np.zeros(len(origin), np.float32)
    for i in range(vectors.shape[0]):
        for j in range(left, right):
            row = vectors[i, j]
            for k in range(len(origin)):
                apart = row[k] - origin[k]
                sums[k] += apart
                squares[k] += apart * apart
    for k in range(len(origin)):
        total[k] += sums[k]
        squared[k] += squares[k]


@fast
def gather(
    pixels: np.ndarray, places: tuple[int, int, int], window: tuple[int, int], scale: np.ndarray, rows: np.ndarray
) -> None:  # fmt: skip
    """Patches as rows, times a number each: the first h w C columns of rows (n, >= h w C) float32.

    pixels (H, W, C) float32; `places`: first row of positions, positions in a row, and px between positions; `window`:
    height and width of a patch; scale (positions down, positions across) float32.
    """
    first, across, stride = places
    line = window[1] * pixels.shape[2]
    flat = pixels.reshape(len(pixels), -1)
    for n in range(len(rows)):
        y, x = first + n // across, n % across
        left, times = x * stride * pixels.shape[2], scale[y, x]
        for down in range(window[0]):
            source, target = (
                flat[y * stride + down, left : left + line],
                rows[n, down * line : (down + 1) * line],
            )
            for k in range(line):
                target[k] = source[k] * times


@fast
def rectangle_sums(numbers: np.ndarray, tables: np.ndarray) -> None:
    """Sums and sums of squares of (H, W, C) numbers, all channels, over the rectangle above and left of each place.

    tables (2, H + 1, W + 1), zeros, int64 for numbers that are uint8, float64 for float64.
    """
    for y in range(numbers.shape[0]):
        row = numbers[y]
        total = squared = tables[0, 0, 0]
        for x in range(numbers.shape[1]):
            for c in range(numbers.shape[2]):
                number = row[x, c] + tables[0, 0, 0]  # in the type of the sums
                total += number
                squared += number * number
            tables[0, y + 1, x + 1] = tables[0, y, x + 1] + total
            tables[1, y + 1, x + 1] = tables[1, y, x + 1] + squared
