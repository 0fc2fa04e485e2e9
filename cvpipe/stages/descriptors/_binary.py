"""What OpenCV's detectors with binary descriptors share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from cvpipe.data import BinaryDescriptors, Images, offsets_of

SIFT_WIDTH = 12
"""Width of the square that SIFT describes, in sigmas (Lowe 2004, section 6.1: 4 cells of 3 sigmas)."""


def describe(
    images: Images, make: Callable[[int], Any], width: int, sigmas: float, smallest: int, most: int | None
) -> BinaryDescriptors:
    """(M, width) packed strings at the keypoints that OpenCV finds, the `most` strongest of each image.

    `make` gives a new detector for an image whose shorter side is so many px: threads must not share an object of
    OpenCV's, and making one is cheap. sigmas: Gaussian
    sigma of a neighbourhood / size of its cv2.KeyPoint. Images with a side below `smallest` px have no keypoints.
    Strongest first; equally strong ones by y, x, scale, angle.
    """
    places, values, size = [np.empty((0, 3), np.float32)], [np.empty((0, width), np.uint8)], []
    for image in images:
        size.append(image.shape[:2])
        found: tuple[Any, Any] = ((), None)
        if min(size[-1]) >= smallest:
            found = make(min(size[-1])).detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        table = np.array([(*k.pt, k.size, k.angle, -k.response) for k in found[0]], np.float32).reshape(-1, 5)
        best = np.lexsort(table[:, [3, 2, 0, 1, 4]].T)[:most]
        places.append(table[best, :3] * np.array([1, 1, sigmas], np.float32))
        values.append(values[0] if found[1] is None else found[1][best])
    table = np.concatenate(places)
    return BinaryDescriptors(
        offsets=offsets_of([len(rows) for rows in places[1:]]),
        values=np.concatenate(values),
        xy=np.ascontiguousarray(table[:, :2]),
        scale=np.ascontiguousarray(table[:, 2]),
        size=np.array(size, np.int32).reshape(-1, 2),
    )


def home(name: str) -> Any:
    """The module of OpenCV that makes `name`: `cv2` up to version 4, `cv2.xfeatures2d` in version 5."""
    return cv2 if hasattr(cv2, f"{name}_create") else cv2.xfeatures2d
