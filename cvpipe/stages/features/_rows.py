"""What features of whole images share: one row of numbers for each image."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cvpipe.data import Features, Images


def rows_of(images: Images, width: int, describe: Callable[[np.ndarray], np.ndarray]) -> Features:
    """(n, width) float32: what `describe` gives for each (H, W, 3) uint8 RGB image."""
    values = np.empty((len(images), width), np.float32)
    for row, image in zip(values, images, strict=True):
        row[:] = describe(image)
    return Features(values=values)
