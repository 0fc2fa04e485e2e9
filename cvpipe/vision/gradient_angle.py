"""The angle of a gradient, for compiled loops. Import it where it is used: numba takes half a second to load."""

from __future__ import annotations

import math

import numpy as np

from cvpipe.vision.compiled import FAST, compiled

TINY = np.float32(1e-30)
"""Keeps 0 / 0 away; far below the difference of two samples that are not equal."""
Series = tuple[np.float32, ...]
CLOSE: Series = tuple(
    np.array([0.0208351, -0.0851330, 0.1801410, -0.3302995, 0.9998660, math.pi / 2], np.float32)
)
"""Coefficients of t^9, t^7, ..., t of the arc tangent in rad, and a quarter turn in the same unit; within 2e-5 rad.
Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 4.4.49."""
OPENCV: Series = tuple(np.array([0, -2.539725, 8.914001, -18.667446, 57.283627, 90], np.float32))
"""The same of `cv2.fastAtan2`, in degrees; within 0.02 degrees."""


@compiled(inline="always", error_model="numpy", fastmath=FAST)
def atan2(y: np.float32, x: np.float32, series: Series = CLOSE) -> np.float32:
    """Angle of (x, y) in float32, from minus to plus half a turn of the series; 0 for (0, 0).

    Without branches, so that a loop over it runs on vectors.
    """
    ax, ay = abs(x), abs(y)
    t = min(ax, ay) / (max(ax, ay) + TINY)
    q = t * t
    p = series[0]
    p = p * q + series[1]
    p = p * q + series[2]
    p = p * q + series[3]
    p = p * q + series[4]
    angle = p * t
    angle = series[5] - angle if ay > ax else angle
    angle = series[5] + series[5] - angle if x < 0 else angle
    return -angle if y < 0 else angle
