"""SIFT descriptors of places in a layer of a scale space, compiled. Import it where it is used: numba takes half a
second to load.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 6; Rey Otero & Delbracio,
"Anatomy of the SIFT Method", IPOL 2014, section 4.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvpipe.vision.compiled import compiled
from cvpipe.vision.gradient_angle import FAST, atan2
from cvpipe.vision.sift_layout import CELLS, DIRECTIONS, WIDTH

CELL = np.float32(3.0)
"""Side of a histogram's cell in sigmas of the keypoint, as in Lowe's program and OpenCV's (Rey Otero & Delbracio,
section 4.2: lambda = 6 for half of the four cells)."""
REACH = np.float32((CELLS + 1) / 2 - 1e-5)
"""Gradients farther from the centre along the descriptor's axes, in cells, add to no histogram. A little less than the
2.5 at which a share becomes 0, so that rounding leads to no cell outside of the margin."""
LARGEST = np.float32(0.2)
"""Numbers of the unit vector are cut off there, against lighting that is not linear (Lowe 2004, section 6.1)."""
UNIT = np.float32(512)
"""Length of the vector of whole numbers, whose values then rarely pass 255 (as in Lowe's program and OpenCV's)."""
PADDED = CELLS + 2
"""Cells along a side with a margin for those outside."""


@compiled()
def _span(slope: Any, rest: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The part of [low, high] in which |slope * t + rest| < `REACH`."""
    if abs(slope) < 1e-6:
        return (low, high) if abs(rest) < REACH else (1.0, 0.0)
    a, b = (-REACH - rest) / slope, (REACH - rest) / slope
    return max(low, min(a, b)), min(high, max(a, b))


@compiled(fastmath=FAST, error_model="numpy")
def _pair(cell: np.ndarray, here: np.int32, beside: np.int32, weight: np.float32, share: np.float32) -> None:
    """Add a weight to two neighbouring directions of a cell."""
    second = weight * share
    cell[here] += weight - second
    cell[beside] += second


@compiled(fastmath=FAST, error_model="numpy")
def _gradients(rows: tuple, first: int, window: np.ndarray, start: Any, out: np.ndarray) -> None:
    """Weighted magnitudes (row 0) and directions in bins (row 1) of the gradients of a piece of the middle row.

    Directions are counted from the bin `start` and against the sense of angles from x to y.
    """
    above, at, below = rows
    for k in range(len(window)):
        gx = at[first + k + 1] - at[first + k - 1]
        gy = below[first + k] - above[first + k]
        out[0, k] = math.sqrt(gx * gx + gy * gy) * window[k]
        out[1, k] = start - atan2(gy, gx) * np.float32(DIRECTIONS / (2 * math.pi))


@compiled(fastmath=FAST, error_model="numpy")
def _cells(u: Any, v: Any, cos: np.float32, sin: np.float32, count: int, out: np.ndarray) -> None:
    """Cell coordinates (rows 2 and 3) of `count` samples in a row, the first at (u, v)."""
    low, high = np.float32(0), np.float32(CELLS + 1) - np.float32(1e-5)
    for k in range(count):
        out[2, k] = min(max(u + cos * np.float32(k), low), high)
        out[3, k] = min(max(v - sin * np.float32(k), low), high)


@compiled(fastmath=FAST, error_model="numpy")
def _share(row: np.ndarray, count: int, histogram: np.ndarray) -> None:
    """Add each sample to the eight bins around it, trilinearly (Lowe 2004, section 6.1)."""
    for k in range(count):
        magnitude, direction, u, v = row[0, k], row[1, k], row[2, k], row[3, k]
        column, line, turn = np.int32(u), np.int32(v), np.int32(direction)
        fu, fv, fd = u - np.float32(column), v - np.float32(line), direction - np.float32(turn)
        here, beside = turn & (DIRECTIONS - 1), (turn + 1) & (DIRECTIONS - 1)
        right = magnitude * fu
        left = magnitude - right
        below_left, below_right = left * fv, right * fv
        _pair(histogram[line, column], here, beside, left - below_left, fd)
        _pair(histogram[line, column + 1], here, beside, right - below_right, fd)
        _pair(histogram[line + 1, column], here, beside, below_left, fd)
        _pair(histogram[line + 1, column + 1], here, beside, below_right, fd)


@compiled(fastmath=FAST, error_model="numpy")
def _row(layer: np.ndarray, i: int, first: int, window: np.ndarray, frame: tuple, buffer: np.ndarray) -> None:
    """Fill the buffer with the gradients of a piece of row i, their weights and their places in the descriptor."""
    x, y, cos, sin, fall, start = frame
    _gradients((layer[i - 1], layer[i], layer[i + 1]), first, window, start, buffer)
    dx, dy, middle = np.float32(first) - x, np.float32(i) - y, np.float32((CELLS + 1) / 2)
    _cells(cos * dx + sin * dy + middle, cos * dy - sin * dx + middle, cos, sin, len(window), buffer)
    weight = np.exp(fall * dy * dy)
    for k in range(len(window)):
        buffer[0, k] *= weight


@compiled(fastmath=FAST, error_model="numpy")
def _accumulate(layer: np.ndarray, place: np.ndarray, histogram: np.ndarray, buffer: np.ndarray) -> None:
    """Add the gradients in the square around a place to its histograms."""
    x, y, cell, angle = place[0], place[1], CELL * place[2], place[3]
    cos, sin = np.float32(math.cos(angle) / cell), np.float32(math.sin(angle) / cell)
    half = REACH * cell * cell * (abs(cos) + abs(sin))
    low, high = max(1, math.ceil(x - half)), min(layer.shape[1] - 2, math.floor(x + half))
    if high < low:
        return
    spread = np.float32(CELLS / 2) * cell
    fall = np.float32(-0.5) / (spread * spread)  # a window of half the descriptor's side (section 6.1)
    window = np.exp(fall * (np.arange(low, high + 1).astype(np.float32) - x) ** 2)
    start = angle * np.float32(DIRECTIONS / (2 * math.pi)) + np.float32(
        2 * DIRECTIONS
    )  # two turns keep it positive
    frame = (x, y, cos, sin, fall, start)
    for i in range(max(1, math.ceil(y - half)), min(layer.shape[0] - 2, math.floor(y + half)) + 1):
        dy = np.float32(i) - y
        a, b = _span(cos, sin * dy, low - x, high - x)
        a, b = _span(-sin, cos * dy, a, b)
        first, last = max(low, math.ceil(a + x)), min(high, math.floor(b + x))
        if first <= last:
            _row(layer, i, first, window[first - low : last + 1 - low], frame, buffer)
            _share(buffer, last + 1 - first, histogram)


@compiled(fastmath=FAST, error_model="numpy")
def _normalised(histogram: np.ndarray, out: np.ndarray) -> None:
    """Unit length, cut off, unit length again, whole numbers (Lowe 2004, section 6.1)."""
    cells = np.ascontiguousarray(histogram[1:-1, 1:-1]).reshape(-1)
    length = math.sqrt((cells * cells).sum())
    if length == 0:
        out[:] = 0
        return
    cells = np.minimum(cells / length, LARGEST)
    cells *= UNIT / math.sqrt((cells * cells).sum())
    for d in range(len(cells)):
        out[d] = np.uint8(min(np.float32(255), cells[d] + np.float32(0.5)))


@compiled()
def _descriptors(layer: np.ndarray, places: np.ndarray) -> np.ndarray:
    out = np.empty((len(places), WIDTH), np.uint8)
    buffer = np.empty((4, layer.shape[1]), np.float32)
    histogram = np.empty((PADDED, PADDED, DIRECTIONS), np.float32)
    for row in range(len(places)):
        histogram[:] = 0
        _accumulate(layer, places[row], histogram, buffer)
        _normalised(histogram, out[row])
    return out


def descriptors(layer: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(m, 128) uint8 descriptors of (m, 4) places in a layer of a scale space.

    `layer` is (h, w) float32, C-contiguous, blurred by about the places' sigma; `places` are rows of x, y, sigma in its
    samples and the angle, rad in [0, 2 pi), float32. Numbers are in the order of OpenCV: row of cells, column of cells
    (along the angle), direction, counted from the angle and against the sense from x to y. What lies outside of the
    layer adds nothing; a place without a gradient has zeros.
    """
    return _descriptors(layer, places)
