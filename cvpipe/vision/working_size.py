"""Images made grey, and brought to one size, for features that describe an image as a whole."""

from __future__ import annotations

import cv2
import numpy as np

from cvpipe.vision.resize import resize


def grey(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) uint8, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), rounded by OpenCV."""
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def resized(image: np.ndarray, side: int) -> np.ndarray:
    """(H, W) or (H, W, 3) -> side x side px, each pixel the mean of the area it covers; the shape is stretched.

    Areas smaller than a pixel are interpolated. A matching size gives the image itself.
    """
    if image.shape[:2] == (side, side):
        return image
    return resize(image, side, side, cv2.INTER_AREA)


def scaled(image: np.ndarray, factor: float) -> np.ndarray:
    """(H, W) or (H, W, 3) -> sides times a factor of at most 1, at least 1 px; pixels are means of areas.

    Sides are rounded to whole pixels. A factor that changes nothing gives the image itself.
    """
    height, width = (max(1, round(side * factor)) for side in image.shape[:2])
    if (height, width) == image.shape[:2]:
        return image
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def limited(image: np.ndarray, longest: int) -> np.ndarray:
    """(H, W) or (H, W, 3) -> the longer side at most `longest` px, the shape kept. A small image is not enlarged."""
    return scaled(image, min(1.0, longest / max(image.shape[:2])))
