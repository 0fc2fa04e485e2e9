"""The scale space of an image as OpenCV 5.0's SIFT has it, sample for sample.

It differs from `scale_space` in how the image is doubled, in the least blur and in how octaves of odd sides are halved.
Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 3.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from cvpipe.vision.scale_space import CAMERA_BLUR, FIRST_STEP, SMALLEST_SIDE, blurs
from cvpipe.vision.scratch import Scratch

LEAST = np.float32(0.01)
"""Smallest variance of the first blur, samples^2."""
HALF = np.array([[0.5, 0, 0], [0, 0.5, 0]], np.float32)
"""Pixel of the image at a sample of the first octave: (2 x, 2 y) is (x, y)."""


def doubled(grey: np.ndarray, precise: bool, scratch: Scratch) -> np.ndarray:
    """(H, W) uint8 -> (2 H, 2 W) float32; its samples are a quarter of a pixel off unless `precise`."""
    height, width = grey.shape
    size = 2 * width, 2 * height
    samples = scratch.floats("grey", height, width)
    samples[:] = grey
    out = scratch.floats("doubled", 2 * height, 2 * width)
    if not precise:
        return cv2.resize(samples, size, out, interpolation=cv2.INTER_LINEAR)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(samples, HALF, size, out, flags, cv2.BORDER_REFLECT)


def octaves(
    grey: np.ndarray, sigma: float, per_octave: int, precise: bool, scratch: Scratch
) -> Iterator[np.ndarray]:
    """The octaves in which keypoints may be, each (per_octave + 3, h, w) float32 of grey values of 0 to 255.

    `grey` is (H, W) uint8, `sigma` the blur of each octave's first layer in samples. An octave is overwritten by the
    next one.
    """
    height, width = 2 * grey.shape[0], 2 * grey.shape[1]
    if min(height, width) < SMALLEST_SIDE:
        return
    first = np.float32(sigma) ** 2 - np.float32(CAMERA_BLUR / FIRST_STEP) ** 2
    base = scratch.floats("base", height, width)
    cv2.GaussianBlur(doubled(grey, precise, scratch), (0, 0), np.sqrt(max(first, LEAST)), base)
    steps = blurs(per_octave + 3, sigma, per_octave).tolist()
    while True:
        octave = scratch.floats("octave", per_octave + 3, *base.shape)
        octave[0] = base
        for layer, step in enumerate(steps):
            cv2.GaussianBlur(octave[layer], (0, 0), step, octave[layer + 1])
        yield octave
        height, width = height // 2, width // 2
        if min(height, width) < SMALLEST_SIDE:
            return
        base = scratch.floats("base", height, width)
        cv2.resize(octave[per_octave], (width, height), base, interpolation=cv2.INTER_NEAREST)
