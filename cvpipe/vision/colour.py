"""Colour spaces in 8 bits, and CIELab in floats."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

Space = Literal["rgb", "hls", "lab"]


def in_space(image: np.ndarray, space: Space) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> (H, W, 3) uint8 in another space.

    hls: hue (256 steps for the full circle), lightness, saturation, each of 0 to 255. lab: CIELab under D65
    with L * 255 / 100, a + 128, b + 128, by OpenCV.
    """
    if space == "hls":
        return hls(image)
    return cv2.cvtColor(image, cv2.COLOR_RGB2LAB) if space == "lab" else image


def lab(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> (H, W, 3) float32 CIELab under D65: L of 0 to 100, a and b about -127 to 127."""
    return cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)


def hls(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W, 3) uint8: hue * 256 / 360 degrees, lightness * 255, saturation * 255.

    Not by OpenCV, which rounds a pixel differently at the end of a row than in its middle. Grey has hue and
    saturation 0.

    Source: Foley et al., "Computer graphics: principles and practice", 2nd edition 1990, section 13.3.5.
    """
    values = image.astype(np.float32)
    red, green, blue = np.moveaxis(values, -1, 0)
    high, low = values.max(axis=-1), values.min(axis=-1)
    range_, total = high - low, high + low
    gap = np.maximum(range_, 1)  # 0 only for grey, where the differences are 0 too
    sixth = np.where(
        high == red,
        (green - blue) / gap,
        np.where(high == green, (blue - red) / gap + 2, (red - green) / gap + 4),
    )
    hue = np.rint(sixth * np.float32(256 / 6)) % 256
    saturation = np.rint(255 * range_ / np.maximum(np.minimum(total, 510 - total), 1))
    return np.stack([hue, np.rint(total / 2), saturation], axis=-1).astype(np.uint8)
