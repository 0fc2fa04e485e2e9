"""Another size for an image, without aliasing along either axis."""

from __future__ import annotations

import cv2
import numpy as np


def resize(image: np.ndarray, width: int, height: int, enlarge: int = cv2.INTER_LINEAR) -> np.ndarray:
    """(H, W) or (H, W, C) -> height x width px: means of areas along an axis that shrinks, interpolation along one that
    grows, by `enlarge`. OpenCV takes means of areas only where no axis grows, so that comes second."""
    before_height, before_width = image.shape[:2]
    small = min(width, before_width), min(height, before_height)
    if small != (before_width, before_height):
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    if small != (width, height):
        image = cv2.resize(image, (width, height), interpolation=enlarge)
    return image
