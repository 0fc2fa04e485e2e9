"""SIFT descriptors of places in a layer of a scale space, compiled. Import it where it is used: numba takes half a
second to load.

The gradients of the layer are computed once. Those of a square are gathered row by row, get their shares in bins all
together, and are added one by one; all but the last are loops that run on vectors.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 6; Rey Otero & Delbracio,
"Anatomy of the SIFT Method", IPOL 2014, section 4.2.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvpipe.vision._sift_histogram import (
    BINS,
    MIDDLE,
    REACH,
    SPARE,
    add_shares,
    normalised,
    shares,
)
from cvpipe.vision.compiled import FAST, compiled
from cvpipe.vision.gradient_angle import atan2
from cvpipe.vision.sift_layout import CELLS, DIRECTIONS, WIDTH

CELL = np.float32(3.0)
"""Side of a histogram's cell in sigmas of the keypoint, as in Lowe's program and OpenCV's (Rey Otero & Delbracio,
section 4.2: lambda = 6 for half of the four cells)."""
TURN = np.float32(DIRECTIONS / (2 * math.pi))
"""Directions of a histogram in a radian."""


@compiled(fastmath=FAST, error_model="numpy")
def _gradient_row(above: Any, at: Any, below: Any, magnitude: np.ndarray, direction: np.ndarray) -> None:
    for k in range(1, len(at) - 1):
        gx = at[k + 1] - at[k - 1]
        gy = below[k] - above[k]
        magnitude[k] = math.sqrt(gx * gx + gy * gy)
        direction[k] = np.float32(DIRECTIONS) - atan2(gy, gx) * TURN


@compiled()
def _gradients(layer: np.ndarray) -> np.ndarray:
    """(2, h w + spare) magnitudes and directions of the gradients, 0 on the border.

    Directions are in bins against the sense from x to y, from 4 to 12.
    """
    height, width = layer.shape
    out = np.zeros((2, height * width + SPARE), np.float32)
    magnitude, direction = out[0], out[1]
    for i in range(1, height - 1):
        row = slice(i * width, (i + 1) * width)
        _gradient_row(layer[i - 1], layer[i], layer[i + 1], magnitude[row], direction[row])
    return out


@compiled()
def _span(slope: Any, rest: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """The part of [low, high] in which |slope * t + rest| < `REACH`."""
    if abs(slope) < 1e-6:
        return (low, high) if abs(rest) < REACH else (1.0, 0.0)
    a, b = (-REACH - rest) / slope, (REACH - rest) / slope
    return max(low, min(a, b)), min(high, max(a, b))


@compiled(fastmath=FAST, error_model="numpy")
def _take(
    values: np.ndarray, start: Any, window: np.ndarray, skip: Any, weight: Any, out: Any, n: Any, count: int
) -> None:
    """Copy a piece of a map to the samples from n on, with weights."""
    for k in range(count):
        i = np.uint64(k)  # an index that may be negative would keep the loop from running on vectors
        out[n + i] = values[start + i] * (window[skip + i] * weight)


@compiled(fastmath=FAST, error_model="numpy")
def _copy(values: np.ndarray, start: Any, out: np.ndarray, n: Any, count: int) -> None:
    """Copy a piece of a map to the samples from n on."""
    for k in range(count):
        i = np.uint64(k)
        out[n + i] = values[start + i]


@compiled(fastmath=FAST, error_model="numpy")
def _locate(first: Any, step: Any, out: np.ndarray, n: Any, count: int) -> None:
    """A coordinate of `count` samples in a row."""
    for k in range(count):
        out[n + np.uint64(k)] = first + step * np.float32(np.int32(k))


@compiled(fastmath=FAST, error_model="numpy")
def _gather(maps: tuple, shape: tuple, place: np.ndarray, out: tuple) -> int:
    """Fill the samples of the square around a place: weighted magnitudes, directions, columns, lines; their number."""
    magnitude, direction = maps
    magnitudes, directions, columns, lines, _ = out
    height, width = shape
    x, y, cell, angle = place[0], place[1], CELL * place[2], place[3]
    cos, sin = np.float32(math.cos(angle) / cell), np.float32(math.sin(angle) / cell)
    half = REACH * cell * cell * (abs(cos) + abs(sin))
    low, high = max(1, math.ceil(x - half)), min(width - 2, math.floor(x + half))
    spread = np.float32(CELLS / 2) * cell
    fall = np.float32(-0.5) / (spread * spread)  # a window of half the descriptor's side (section 6.1)
    window = np.exp(fall * (np.arange(low, max(low, high + 1) + SPARE).astype(np.float32) - x) ** 2)
    n = 0
    for i in range(max(1, math.ceil(y - half)), min(height - 2, math.floor(y + half)) + 1):
        dy = np.float32(i) - y
        a, b = _span(cos, sin * dy, low - x, high - x)
        a, b = _span(-sin, cos * dy, a, b)
        first = max(low, math.ceil(a + x))
        count = min(high, math.floor(b + x)) + 1 - first
        if count > 0:
            dx, whole = np.float32(first) - x, (count + SPARE - 1) // SPARE * SPARE
            at, skip, to = np.uint64(i * width + first), np.uint64(first - low), np.uint64(n)
            _take(magnitude, at, window, skip, np.exp(fall * dy * dy), magnitudes, to, whole)
            _copy(direction, at, directions, to, whole)
            _locate(cos * dx + sin * dy + MIDDLE, cos, columns, to, whole)
            _locate(cos * dy - sin * dx + MIDDLE, -sin, lines, to, whole)
            n += count
    return n


@compiled()
def room(size: int, places: np.ndarray) -> int:
    """How many of the samples of a layer of this size the largest square has at most."""
    side = 2 * REACH * CELL * places[:, 2].max() + 3  # that of the square, and half a sample around it
    return int(min(side * side, size)) + 2 * SPARE


@compiled()
def describe(maps: tuple, shape: tuple, place: np.ndarray, scale: Any, space: tuple, out: np.ndarray) -> None:
    """Fill in the descriptor of a place from maps of the layer's gradients.

    `maps` are magnitudes and directions, each of h w samples and `SPARE` more; directions times `scale` are in bins,
    against the sense from x to y, and not negative. The border of the layer is not looked at. `space` is `space_for`
    as many samples as `room` says.
    """
    a, b, c, d, e, index, even, odd = space
    even[:] = 0
    odd[:] = 0
    n = _gather(maps, shape, place, (a, b, c, d, e))
    shares(a, b, c, d, e, index, place[3] * TURN, scale, n)
    add_shares(a, b, c, d, e, index, n, even, odd)
    normalised(even, odd, out)


@compiled()
def space_for(samples: int) -> tuple:
    """Five rows for samples, one of int32 for the bins they go to, and two sets of histograms."""
    rows, bins = np.zeros((5, samples), np.float32), np.empty((2, BINS), np.float32)
    index = np.empty(samples, np.int32)
    return rows[0], rows[1], rows[2], rows[3], rows[4], index, bins[0], bins[1]


@compiled()
def _descriptors(layer: np.ndarray, places: np.ndarray) -> np.ndarray:
    out = np.empty((len(places), WIDTH), np.uint8)
    gradients = _gradients(layer)
    space = space_for(room(layer.size, places))
    for row in range(len(places)):
        describe((gradients[0], gradients[1]), layer.shape, places[row], np.float32(1), space, out[row])
    return out


def descriptors(layer: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(m, 128) uint8 descriptors of (m, 4) places in a layer of a scale space.

    `layer` is (h, w) float32, C-contiguous, blurred by about the places' sigma; `places` are rows of x, y, sigma in its
    samples and the angle, rad in [0, 2 pi), float32. Numbers are in the order of OpenCV: row of cells, column of cells
    (along the angle), direction, counted from the angle and against the sense from x to y. What lies outside of the
    layer adds nothing; a place without a gradient has zeros.
    """
    return _descriptors(layer, places) if len(places) else np.empty((0, WIDTH), np.uint8)
