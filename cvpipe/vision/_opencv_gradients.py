"""Gradients of a layer of a scale space and main orientations as OpenCV 5.0 has them, compiled.

They differ from `sift_orientation` in rounding: the arc tangent is that of `cv2.fastAtan2`, places and half sides of
neighbourhoods are whole samples, bins are rounded half to even. Which peaks reach 0.8 of the highest depends on it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvpipe.vision import gradient_angle
from cvpipe.vision.compiled import FAST, compiled
from cvpipe.vision.sift_orientation import BINS, CUT, WINDOW, peaks, smoothed

TURN = np.float32(360)
"""Degrees."""


@compiled(fastmath=FAST, error_model="numpy")
def gradient_row(above: Any, at: Any, below: Any, magnitude: np.ndarray, degrees: np.ndarray) -> None:
    """Fill in magnitudes and angles in [0, 360), counted from y towards x, of a row, but at its ends."""
    for k in range(1, len(at) - 1):
        gx = at[k + 1] - at[k - 1]
        gy = above[k] - below[k]
        magnitude[k] = math.sqrt(gx * gx + gy * gy)
        angle = gradient_angle.atan2(gy, gx, gradient_angle.OPENCV)
        degrees[k] = angle + TURN if angle < 0 else angle


@compiled(fastmath=FAST, error_model="numpy")
def _weighted(magnitude: Any, degrees: Any, window: Any, weight: Any, weights: Any, bins: Any) -> None:
    """Weights and bins of a row of samples."""
    for k in range(len(window)):
        weights[k] = magnitude[k] * (window[k] * weight)
        bins[k] = np.int32(BINS) - np.int32(np.rint(degrees[k] * np.float32(BINS / 360)))


@compiled(fastmath=FAST, error_model="numpy")
def _window(spread: np.float32, low: int, high: int) -> np.ndarray:
    """Gaussian weights of the whole numbers from `low` to `high`."""
    away = np.arange(low, high + 1).astype(np.float32)
    return np.exp(np.float32(-0.5) / (spread * spread) * away * away)


@compiled(fastmath=FAST, error_model="numpy")
def _histogram(maps: tuple, shape: tuple, place: tuple) -> np.ndarray:
    """(36,) sums of weighted magnitudes around a place, by direction from x towards y."""
    magnitude, degrees = maps
    height, width = shape
    x, y, spread = place[0], place[1], np.float32(WINDOW) * place[2]
    radius = int(np.rint(np.float32(CUT) * spread))
    left, right = max(1, x - radius), min(width - 2, x + radius)
    top, bottom = max(1, y - radius), min(height - 2, y + radius)
    columns, rows = _window(spread, left - x, right - x), _window(spread, top - y, bottom - y)
    weights, bins = np.empty(len(columns), np.float32), np.empty(len(columns), np.int32)
    histogram = np.zeros(BINS + 1, np.float32)
    for i in range(top, bottom + 1):
        row = slice(i * width + left, i * width + right + 1)
        _weighted(magnitude[row], degrees[row], columns, rows[i - top], weights, bins)
        for k in range(len(columns)):
            histogram[bins[k]] += weights[k]
    histogram[0] += histogram[BINS]
    return histogram[:BINS]


@compiled()
def orientations(maps: tuple, shape: tuple, place: tuple, angles: np.ndarray) -> int:
    """Fill in the main orientations around a place, rad in [0, 2 pi), from x towards y; how many there are.

    `maps` are magnitudes and angles as of `gradient_row` of a layer of (h, w); `place` is x, y (whole samples), sigma.
    """
    return peaks(smoothed(_histogram(maps, shape, place)), False, angles, True)
