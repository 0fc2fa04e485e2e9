"""Patches as rows of numbers: made smaller, evened out in brightness and contrast."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

Evening = Literal["contrast", "brightness", "none"]
"""What is taken out of each patch: brightness and contrast, brightness only, or nothing."""
MIDDLE = 128
"""Grey level that is 0 in a row: float32 products of numbers around 0 lose less than those of numbers around 128."""
STRIP = 4096
"""Patches that are made smaller in one call of OpenCV."""


def shrunk(image: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, C) uint8 -> (H // factor, W // factor, C): rounded means of factor x factor px.

    Pixels that are left over at the right and the lower border are dropped, so a patch made smaller is a patch of an
    image made smaller. An image smaller than `factor` has no pixels left.
    """
    height, width = (side // factor for side in image.shape[:2])
    if factor == 1 or not height or not width:
        return image[:height, :width]
    cropped = image[: height * factor, : width * factor]
    means = cv2.resize(cropped, (width, height), interpolation=cv2.INTER_AREA)
    return means.reshape(height, width, -1)  # OpenCV drops a single channel


def shrunk_patches(pixels: np.ndarray, factor: int) -> np.ndarray:
    """(M, h, w, 3) uint8 -> (M, h // factor, w // factor, 3): each as `shrunk` makes it."""
    height, width = (side // factor for side in pixels.shape[1:3])
    if factor == 1 or not height or not width:
        return pixels[:, :height, :width]
    cropped = np.ascontiguousarray(pixels[:, : height * factor, : width * factor])
    strips = [  # patches below each other are an image whose blocks of pixels do not cross patches
        shrunk(cropped[at : at + STRIP].reshape(-1, width * factor, 3), factor)
        for at in range(0, len(cropped), STRIP)
    ]
    empty = np.empty((0, width, 3), np.uint8)
    return np.concatenate([empty, *strips]).reshape(-1, height, width, 3)


def rows_of(pixels: np.ndarray) -> np.ndarray:
    """(M, h, w, C) uint8 -> (M, h w C) float32, grey level 128 as 0."""
    return pixels.reshape(len(pixels), -1).astype(np.float32) - MIDDLE


def evened(rows: np.ndarray, evening: Evening, offset: float) -> np.ndarray:
    """(M, D) float32 rows of `rows_of` -> (M, D) float32 of mean 0 (not with `none`), over their deviation.

    The deviation is sqrt(variance + offset), offset in squared grey levels: a flat patch becomes zeros, noise in
    nearly flat patches stays small. Without `contrast` the deviation is that of grey levels spread evenly, 1 / 74.

    Source: Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011,
    section 3.2.1; offset 10 in the authors' program.
    """
    if evening != "none":
        rows = rows - rows.mean(axis=1, keepdims=True)
    if evening != "contrast":
        return rows * FLAT_SCALE
    deviation = np.sqrt(np.square(rows).mean(axis=1, keepdims=True) + np.float32(offset))
    return rows / np.where(deviation > 0, deviation, 1)


FLAT_SCALE = np.float32(1 / 74)
"""1 / the deviation of grey levels that are spread evenly over 0 to 255: 256 / sqrt(12)."""
