"""Gradients of the layers of a scale space and main orientations, compiled, as OpenCV 5.0 has them.

They differ from ours (`sift_orientation`) in what rounding there is: the arc tangent of `cv2.fastAtan2`, whole samples
for centre and half side of a neighbourhood, bins half to even. Peaks near 0.8 of the highest depend on it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvpipe.vision import gradient_angle
from cvpipe.vision.compiled import FAST, compiled
from cvpipe.vision.sift_orientation import BINS, CUT, WINDOW, peaks, smoothed


@compiled(fastmath=FAST, error_model="numpy")
def gradient_row(above: Any, at: Any, below: Any, magnitude: np.ndarray, degrees: np.ndarray) -> None:
    """Magnitudes and angles in [0, 360), counted from y towards x, of a row; its ends stay as they are."""
    for k in range(1, len(at) - 1):
        gx = at[k + 1] - at[k - 1]
        gy = above[k] - below[k]
        magnitude[k] = math.sqrt(gx * gx + gy * gy)
        angle = gradient_angle.atan2(gy, gx, gradient_angle.OPENCV)
        degrees[k] = angle + np.float32(360) if angle < 0 else angle


@compiled(fastmath=FAST, error_model="numpy")
def _weighted(magnitude: Any, degrees: Any, window: np.ndarray, weight: Any, out: tuple) -> None:
    weights, bins = out
    for k in range(len(window)):
        weights[k] = magnitude[k] * (window[k] * weight)
        bins[k] = np.int32(BINS) - np.int32(np.rint(degrees[k] * np.float32(BINS / 360)))


@compiled(fastmath=FAST, error_model="numpy")
def _accumulate(maps: tuple, shape: tuple, place: np.ndarray, histogram: np.ndarray) -> None:
    magnitude, degrees = maps
    height, width = shape
    x, y, spread = int(place[0]), int(place[1]), np.float32(WINDOW) * place[2]
    radius = int(np.rint(np.float32(CUT) * spread))
    left, right = max(1, x - radius), min(width - 2, x + radius)
    fall = np.float32(-0.5) / (spread * spread)
    away = np.arange(left - x, right + 1 - x).astype(np.float32)
    window = np.exp(fall * away * away)
    weights, bins = np.empty(len(window), np.float32), np.empty(len(window), np.int32)
    for i in range(max(1, y - radius), min(height - 2, y + radius) + 1):
        row = slice(i * width + left, i * width + right + 1)
        weight = np.exp(fall * np.float32((i - y) * (i - y)))
        _weighted(magnitude[row], degrees[row], window, weight, (weights, bins))
        for k in range(len(window)):
            histogram[bins[k] % BINS] += weights[k]


@compiled()
def orientations(maps: tuple, shape: tuple, place: np.ndarray, angles: np.ndarray) -> int:
    """Fill in the main orientations, rad in [0, 2 pi), from x towards y, around x, y, sigma; how many there are."""
    histogram = np.zeros(BINS, np.float32)
    _accumulate(maps, shape, place, histogram)
    return peaks(smoothed(histogram), False, angles, True)
