"""The pixels themselves."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.data import Features, Images
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.working_size import grey, resized


class RawPixels(Stage):
    """The pixels of an image as one vector: what every other feature has to beat.

    Takes RGB images of any size, resized to `size` x `size` px (each pixel the mean of the area it covers).
    Gives (n, size^2) or (n, 3 size^2) float32 in [0, 1], row by row, the channels of a pixel together. Raises
    nothing.

    Source: Turk & Pentland, "Eigenfaces for recognition", J. Cognitive Neuroscience 1991 (images as vectors);
    size: Torralba, Fergus & Freeman, "80 million tiny images", PAMI 2008.
    """

    size: Count = 32  # side of the resized image, px; 32 keeps scenes recognisable, Torralba et al. 2008
    channels: Literal["grey", "rgb"] = "grey"  # grey levels, or all three colours

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, size^2) or (n, 3 size^2) float32 in [0, 1]."""
        depth = 3 if self.channels == "rgb" else 1
        return rows_of(images, depth * self.size**2, self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        pixels = image if self.channels == "rgb" else grey(image)
        return resized(pixels, self.size).ravel() / np.float32(255)
