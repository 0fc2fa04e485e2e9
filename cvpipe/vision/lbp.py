"""Uniform local binary patterns: which neighbours on a circle are at least as bright as the pixel?

Source: Ojala, Pietikainen & Maenpaa, "Multiresolution gray-scale and rotation invariant texture classification with
local binary patterns", PAMI 2002, section 2.
"""

from __future__ import annotations

import numpy as np

ROUNDED = 5
"""Decimals of the places on the circle, so that cos 90 degrees is 0 and not 6e-17."""


def circle(points: int, radius: float) -> np.ndarray:
    """(points, 2) offsets (y, x) in px from the pixel, from the right (x axis) upwards."""
    angle = 2 * np.pi * np.arange(points) / points
    return np.round(radius * np.stack([-np.sin(angle), np.cos(angle)], axis=1), ROUNDED)


def brighter(image: np.ndarray, points: int, radius: int) -> np.ndarray:
    """(points, H - 2 radius, W - 2 radius) bool: interpolated neighbour >= pixel, where the circle lies inside.

    Differences to the pixel are interpolated (bilinear, float32), not brightness: equal pixels then have a
    difference of exactly 0.
    """
    values = image.astype(np.float32)
    height, width = (max(side - 2 * radius, 0) for side in image.shape)
    centre = values[radius : radius + height, radius : radius + width]
    found = np.empty((points, height, width), bool)
    for bits, (y, x) in zip(found, circle(points, radius), strict=True):
        total: np.ndarray | float = 0.0
        for row, column, weight in _corners(y, x):
            top, left = radius + row, radius + column
            total = total + np.float32(weight) * (values[top : top + height, left : left + width] - centre)
        np.greater_equal(total, 0, out=bits)
    return found


def _corners(y: float, x: float) -> list[tuple[int, int, float]]:
    """The pixels around a place (row, column) with their bilinear weights above 0."""
    top, left = int(np.floor(y)), int(np.floor(x))
    down, right = y - top, x - left
    corners = [
        (top, left, (1 - down) * (1 - right)),
        (top, left + 1, (1 - down) * right),
        (top + 1, left, down * (1 - right)),
        (top + 1, left + 1, down * right),
    ]
    return [corner for corner in corners if corner[2] > 0]


def uniform_codes(bits: np.ndarray) -> np.ndarray:
    """(P, h, w) bool -> (h, w) uint8: the number of ones, 0 to P, or P + 1 where the circle is not uniform.

    Uniform: at most two changes between 0 and 1 around the circle. The code does not change when the image
    is rotated by 1 / P of a circle (riu2, equation 8).
    """
    points = len(bits)
    ones, changes = np.zeros(bits.shape[1:], np.uint8), np.zeros(bits.shape[1:], np.uint8)
    for i in range(points):
        ones += bits[i]
        changes += bits[i] != bits[i - 1]
    return np.where(changes <= 2, ones, np.uint8(points + 1))


def directed_codes(bits: np.ndarray) -> np.ndarray:
    """(P, h, w) bool -> (h, w) int16: a code for each uniform pattern, 0 to P (P - 1) + 2; the last is for the rest.

    0: no ones; 1 + (k - 1) P + s: k ones of which the first is at place s (u2, section 2.3); P (P - 1) + 1: all.
    """
    points = len(bits)
    code = uniform_codes(bits).astype(np.int16)
    start = np.zeros(bits.shape[1:], np.int16)
    for i in range(1, points):
        start += np.int16(i) * (bits[i] & ~bits[i - 1])
    run = (code > 0) & (code < points)
    directed = np.where(run, 1 + (code - 1) * points + start, np.int16(0))
    directed[code == points] = points * (points - 1) + 1
    directed[code == points + 1] = points * (points - 1) + 2
    return directed
