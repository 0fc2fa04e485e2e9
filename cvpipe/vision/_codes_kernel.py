"""From responses of filters to codes, and their sums, compiled. Import it where it is used: numba takes half a second.

NumPy walks over the responses once for every operation, and its `tanh` alone takes as long as the product that the
responses come from.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision._exponential import LOG2_E, fast, power_of_two


@fast
def logistic(z: np.float32) -> np.float32:
    """1 / (1 + exp(-z)), within 1.5e-7."""
    return np.float32(1) / (np.float32(1) + power_of_two(-LOG2_E * z))


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
