"""From an image of any size to a square of so many pixels: what a network with a fixed input looks at."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.vision.resize import resize

Fit = Literal["stretch", "crop"]
"""The whole image, whatever its aspect; or the largest square around its centre."""


def seen(height: int, width: int, fit: Fit) -> tuple[int, int, int, int]:
    """The part of an image that becomes the square: left, top, width, height, px."""
    if fit == "stretch":
        return 0, 0, width, height
    short = min(height, width)
    return (width - short) // 2, (height - short) // 2, short, short


def fit_square(image: np.ndarray, side: int, fit: Fit) -> np.ndarray:
    """(H, W, 3) uint8 -> (side, side, 3) uint8.

    Shrinking takes the mean of the area that becomes a pixel (no aliasing), enlarging interpolates linearly.
    """
    left, top, width, height = seen(image.shape[0], image.shape[1], fit)
    part = image[top : top + height, left : left + width]
    return resize(part, side, side)
