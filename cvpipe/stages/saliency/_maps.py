"""What the saliency stages share: one map for each image, as large as the image."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from cvpipe.data import Images, Maps
from cvpipe.stages.maps._stacks import maps_of
from cvpipe.vision.working_size import limited


def saliency_of(images: Images, make: Callable[[np.ndarray], np.ndarray], longest: int | None = None) -> Maps:
    """Maps of one channel from `make`: (h, w) float32 in [0, 1] for (h, w, 3) uint8 pixels.

    With `longest` it sees images whose longer side is at most so many px; its maps are enlarged to the images' sizes,
    linearly.
    """

    def one(image: np.ndarray) -> np.ndarray:
        made = make(image if longest is None else limited(image, longest))
        height, width = image.shape[:2]
        return cv2.resize(made, (width, height), interpolation=cv2.INTER_LINEAR)[None]

    return maps_of(images, 1, one)
