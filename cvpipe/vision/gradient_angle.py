"""The angle of a gradient, for compiled loops. Import it where it is used: numba takes half a second to load."""

from __future__ import annotations

import math

import numpy as np

from cvpipe.vision.compiled import FAST, compiled

TINY = np.float32(1e-30)
"""Keeps 0 / 0 away; far below the difference of two samples that are not equal."""


@compiled(inline="always", error_model="numpy", fastmath=FAST)
def atan2(y: np.float32, x: np.float32) -> np.float32:
    """Angle of (x, y) in float32, rad in [-pi, pi], within 2e-5 of `math.atan2`; 0 for (0, 0).

    Without branches, so that a loop over it runs on vectors.
    Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 4.4.49.
    """
    ax, ay = abs(x), abs(y)
    t = min(ax, ay) / (max(ax, ay) + TINY)
    q = t * t
    p = np.float32(0.0208351)
    p = p * q - np.float32(0.0851330)
    p = p * q + np.float32(0.1801410)
    p = p * q - np.float32(0.3302995)
    p = p * q + np.float32(0.9998660)
    angle = p * t
    angle = np.float32(math.pi / 2) - angle if ay > ax else angle
    angle = np.float32(math.pi) - angle if x < 0 else angle
    return -angle if y < 0 else angle
