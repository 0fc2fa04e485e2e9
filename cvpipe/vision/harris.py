"""Corners where the gradient changes in every direction."""

from __future__ import annotations

import cv2
import numpy as np

SOBEL_SUM = 8
"""The Sobel filter counts a slope of one grey level per px so many times."""


def harris_response(grey: np.ndarray, sigma: float, k: float) -> np.ndarray:
    """(H, W) uint8 -> (H, W) float32 det A - k trace(A)^2 of the structure tensor A, grey levels^4 / px^4.

    Gradients by Sobel filters, their products averaged by a Gaussian of `sigma` px; borders are mirrored.

    Source: Harris & Stephens, "A combined corner and edge detector", Alvey Vision Conference 1988, equations 7 to 13.
    """
    dx, dy = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / SOBEL_SUM) for order in ((1, 0), (0, 1)))
    xx, yy, xy = (cv2.GaussianBlur(product, (0, 0), sigma) for product in (dx * dx, dy * dy, dx * dy))
    trace = xx + yy
    return xx * yy - xy * xy - np.float32(k) * trace * trace


def peaks(response: np.ndarray, radius: int, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of places above a threshold that nothing within `radius` px (in x and in y) exceeds."""
    window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    highest = cv2.dilate(response, window)
    rows, columns = np.nonzero((response == highest) & (response > threshold))
    return rows, columns
