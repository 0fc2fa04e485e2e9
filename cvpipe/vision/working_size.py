"""Images made grey, and brought to one size, for features that describe an image as a whole."""

from __future__ import annotations

import cv2
import numpy as np


def grey(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) uint8, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded by OpenCV."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def resized(image: np.ndarray, side: int) -> np.ndarray:
    """(H, W) or (H, W, 3) -> side x side px, each pixel the mean of the area it covers; the shape is stretched.

    Areas smaller than a pixel are interpolated. A matching size gives the image itself.
    """
    if image.shape[:2] == (side, side):
        return image
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
