"""Colour spaces in 8 bits."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

Space = Literal["rgb", "hls", "lab"]
CODE = {"hls": cv2.COLOR_RGB2HLS_FULL, "lab": cv2.COLOR_RGB2LAB}


def in_space(image: np.ndarray, space: Space) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> (H, W, 3) uint8 in another space.

    hls: hue (256 steps for the full circle), lightness, saturation, each of 0 to 255. lab: CIELab under D65 with
    L * 255 / 100, a + 128, b + 128.
    """
    return image if space == "rgb" else cv2.cvtColor(image, CODE[space])
