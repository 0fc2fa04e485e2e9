"""Main orientations of keypoints, compiled. Import it where it is used: numba takes half a second to load.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 5; Rey Otero & Delbracio,
"Anatomy of the SIFT Method", IPOL 2014, section 4.1.
"""

from __future__ import annotations

import math

import numpy as np

from cvpipe.vision.compiled import FAST, compiled
from cvpipe.vision.gradient_angle import atan2

BINS = 36
"""Directions in the histogram, 10 degrees each (Lowe 2004, section 5)."""
WINDOW = 1.5
"""Sigma of the Gaussian window in sigmas of the keypoint (Lowe 2004, section 5)."""
CUT = 3.0
"""Half the side of the square that is looked at, in sigmas of the window (Rey Otero & Delbracio, section 4.1)."""
PEAK = np.float32(0.8)
"""Smallest peak as a share of the highest (Lowe 2004, section 5)."""
TURN = np.float32(2 * math.pi)


@compiled(fastmath=FAST, error_model="numpy")
def _accumulate(layer: np.ndarray, x: float, y: float, sigma: float, histogram: np.ndarray) -> None:
    """Add gradient magnitudes, weighted by a Gaussian window around (x, y), to the bins of their directions."""
    height, width = layer.shape
    spread = np.float32(WINDOW * sigma)
    radius = np.float32(CUT) * spread
    left, right = max(1, math.ceil(x - radius)), min(width - 2, math.floor(x + radius))
    top, bottom = max(1, math.ceil(y - radius)), min(height - 2, math.floor(y + radius))
    if right < left:
        return
    fall = np.float32(-0.5) / (spread * spread)
    columns = np.exp(fall * (np.arange(left, right + 1).astype(np.float32) - np.float32(x)) ** 2)
    bins = np.empty(len(columns), np.int32)
    weights = np.empty(len(columns), np.float32)
    for i in range(top, bottom + 1):
        row_weight = np.exp(fall * (np.float32(i) - np.float32(y)) ** 2)
        above, at, below = layer[i - 1], layer[i], layer[i + 1]
        for k in range(len(columns)):
            gx = at[left + k + 1] - at[left + k - 1]
            gy = below[left + k] - above[left + k]
            weights[k] = math.sqrt(gx * gx + gy * gy) * columns[k] * row_weight
            # Rounded to the nearest bin; one turn is added so that the number is positive.
            bins[k] = np.int32(atan2(gy, gx) * (np.float32(BINS) / TURN) + np.float32(BINS + 0.5))
        for k in range(len(columns)):
            histogram[bins[k] % BINS] += weights[k]


@compiled()
def smoothed(histogram: np.ndarray) -> np.ndarray:
    """(36,) histogram, blurred around the circle by (1, 4, 6, 4, 1) / 16."""
    out = np.empty_like(histogram)
    for b in range(BINS):
        near = histogram[b - 1] + histogram[(b + 1) % BINS]
        far = histogram[b - 2] + histogram[(b + 2) % BINS]
        out[b] = (6 * histogram[b] + 4 * near + far) / 16
    return out


@compiled()
def peaks(histogram: np.ndarray, only_highest: bool, angles: np.ndarray, strict: bool = False) -> int:
    """Fill in the peaks' angles, rad in [0, 2 pi), or only that of the highest; how many there are.

    Of two equal bins side by side the first may be a peak; `strict` if none is one.
    """
    least = histogram.max() * (1 if only_highest else PEAK)
    count = 0
    for b in range(BINS):
        before, here, after = histogram[b - 1], histogram[b], histogram[(b + 1) % BINS]
        if here < least or here <= before or here < after or (strict and here == after):
            continue
        # The vertex of the parabola through three bins (Lowe 2004, section 5).
        place = b + (before - after) / (2 * (before - 2 * here + after))
        angles[count] = np.float32((place % BINS) * (TURN / BINS)) % TURN
        count += 1
        if only_highest:
            break
    return count


@compiled()
def _orientations(layer: np.ndarray, places: np.ndarray, only_highest: bool) -> tuple[np.ndarray, np.ndarray]:
    most = BINS // 2
    rows = np.empty(len(places) * most, np.int64)
    angles = np.empty(len(places) * most, np.float32)
    total = 0
    histogram = np.empty(BINS, np.float32)
    for row in range(len(places)):
        histogram[:] = 0
        _accumulate(layer, places[row, 0], places[row, 1], places[row, 2], histogram)
        count = peaks(smoothed(histogram), only_highest, angles[total:])
        if count == 0:  # a flat neighbourhood has no direction
            angles[total] = 0
            count = 1
        rows[total : total + count] = row
        total += count
    return rows[:total], angles[:total]


def orientations(
    layer: np.ndarray, places: np.ndarray, only_highest: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The directions in which the neighbourhoods of (m, 3) places in a layer of a scale space are brightest.

    `layer` is (h, w) float32, C-contiguous; `places` are rows of x, y, sigma in its samples, float32. Gives (k,) int64
    rows of `places`, ascending, and (k,) float32 angles, rad in [0, 2 pi), from x towards y: every peak of the
    histogram of at least `PEAK` of the highest, or only the highest. A place without a gradient has the angle 0.
    """
    return _orientations(layer, places, only_highest)
