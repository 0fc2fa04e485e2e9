"""What the scale-space stages share: one octave of an image."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge

from cvpipe.vision import scale_space

Octave = Annotated[int, Ge(0)]
"""0 is the doubled image, 1 has the image's own resolution, 2 half of it, and so on."""


def octave_of(image: np.ndarray, octave: int, octave_layers: int, sigma: float) -> np.ndarray:
    """(octave_layers + 3, h, w) float32 layers of an (H, W, 3) uint8 image, of grey values of 0 to 1.

    An image too small for the octave gives its last.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / np.float32(255)
    octave = min(octave, scale_space.octave_count(*grey.shape) - 1)
    return next(islice(scale_space.gaussian_octaves(grey, sigma, octave_layers), octave, None))
