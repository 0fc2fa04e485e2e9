"""From an image of any size to a square of so many pixels: what a network with a fixed input looks at."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

Fit = Literal["stretch", "crop"]


def fit_square(image: np.ndarray, side: int, fit: Fit) -> np.ndarray:
    """(H, W, 3) uint8 -> (side, side, 3) uint8.

    `stretch` takes the whole image, whatever its aspect; `crop` the largest square around its centre. Shrinking takes
    the mean of the area that becomes a pixel (no aliasing), enlarging interpolates linearly.
    """
    if fit == "crop":
        height, width = image.shape[:2]
        short = min(height, width)
        top, left = (height - short) // 2, (width - short) // 2
        image = image[top : top + short, left : left + short]
    if image.shape[:2] == (side, side):
        return image
    # INTER_AREA shrinks by area only where both sides shrink; elsewhere it is a linear interpolation of its own.
    shrinks = min(image.shape[:2]) >= side
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
