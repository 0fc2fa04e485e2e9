"""Patches as rows of numbers: made smaller, evened out in brightness and contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

Evening = Literal["contrast", "brightness", "none"]
"""What is taken out of each patch: brightness and contrast, brightness only, or nothing."""
MIDDLE = 128
"""Grey level that is 0 in a row: float32 products of numbers around 0 lose less than those of numbers around 128."""
FLAT_SCALE = np.float32(1 / 74)
"""1 / the deviation of grey levels that are spread evenly over 0 to 255: 256 / sqrt(12)."""
ROUNDING = 1e-9
"""Share of the mean square that a variance has by rounding. One pixel in 5,000 that differs by 1 is above it."""
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


@dataclass(frozen=True)
class Unit:
    """What is 0 and what is 1 in a row; that of pixels unless others are given."""

    middle: float = MIDDLE
    """The number that is 0 in a row."""
    size: float = 1.0
    """What 1 in a row is. Rows are in grey levels, whatever they are made from."""

    def rows(self, patches: np.ndarray) -> np.ndarray:
        """(…) numbers of any type -> (…) float32."""
        rows = patches.astype(np.float32)
        rows -= np.float32(self.middle)
        if self.size != 1:
            rows *= np.float32(1 / self.size)
        return rows


def unit_of(patches: np.ndarray) -> Unit:
    """The unit in which (M, h, w, C) float32 patches of maps spread like grey levels: around 0, with deviation 74.

    So what is added to the variance of a patch means the same whether the codes of the layer below are
    probabilities or distances. Maps that are the same everywhere get the unit 1.
    """
    deviation = float(patches.std(dtype=np.float64))
    return Unit(
        float(patches.mean(dtype=np.float64)), deviation * float(FLAT_SCALE) if deviation > 0 else 1.0
    )


def rows_of(pixels: np.ndarray, unit: Unit | None = None) -> np.ndarray:
    """(M, h, w, C) -> (M, h w C) float32 in grey levels; of uint8 pixels, grey level 128 is 0."""
    return (unit or Unit()).rows(pixels.reshape(len(pixels), -1))


def evened(rows: np.ndarray, evening: Evening, offset: float) -> np.ndarray:
    """(M, D) float32 rows of `rows_of` -> (M, D) float32 of mean 0 (not with `none`), over their deviation.

    The deviation is sqrt(variance + offset), offset in squared grey levels: a flat patch becomes zeros, noise in
    nearly flat patches stays small. Without `contrast` it is 74, that of grey levels spread evenly.

    Source: Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011,
    section 3.2.1; offset 10 in the authors' program.
    """
    if evening == "none":
        return rows * FLAT_SCALE
    even = rows - rows.mean(axis=1, keepdims=True)
    if evening == "brightness":
        return even * FLAT_SCALE
    variance, squares = (np.square(some).mean(axis=1, keepdims=True) for some in (even, rows))
    return even * inverse_deviation(variance, squares, offset)


def inverse_deviation(variance: np.ndarray, squares: np.ndarray, offset: float) -> np.ndarray:
    """1 / sqrt(variance + offset) as float32, 0 where that is nothing; `squares`: mean of the squared numbers.

    A variance that is no more than what rounding leaves of the squares is 0.
    """
    deviation = np.sqrt(np.where(variance > ROUNDING * squares, variance, 0) + offset)
    return np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0).astype(np.float32)
