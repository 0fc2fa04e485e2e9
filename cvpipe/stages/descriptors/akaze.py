"""AKAZE keypoints and descriptors, by OpenCV."""

from __future__ import annotations

from typing import Any

from cvpipe.data import BinaryDescriptors, Images
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.descriptors._binary import describe, home

BYTES = 61
"""486 bits: comparisons of 3 channels between the cells of 2 x 2, 3 x 3 and 4 x 4 grids."""
SMALLEST = 2
"""Images of one pixel have no gradient, px."""


class Akaze(Stage):
    """Blobs of a nonlinear scale space, which blurs within regions but not across their borders, described by bits.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives (M, 61) packed bits (modified local difference
    binary, turned by the angle of the keypoint), which are OpenCV's, strongest first; equally strong ones by y, x,
    scale, angle. The scale is that of the evolution at which the blob was found. An image without a blob has no
    rows. Raises nothing.

    Source: Alcantarilla, Nuevo & Bartoli, "Fast explicit diffusion for accelerated features in nonlinear scale
    spaces", BMVC 2013.
    """

    max_keypoints: Count | None = 500  # keep at most so many for each image, the strongest; null keeps all
    threshold: Positive = 0.001  # smallest determinant of the Hessian, of brightness 0 to 1; OpenCV's
    octaves: Count = 4  # OpenCV's
    octave_layers: Count = 4  # scales per octave; OpenCV's

    def transform(self, images: Images) -> BinaryDescriptors:
        """(H, W, 3) uint8 RGB images -> (M, 61) uint8 packed bits with places and scales in px."""
        # The size of a keypoint is a diameter of 1.5 sigmas each way, the derivatives' reach.
        return describe(images, self._make, BYTES, 1 / 3, SMALLEST, self.max_keypoints)

    def _make(self, side: int) -> Any:
        return home("AKAZE").AKAZE_create(
            threshold=self.threshold, nOctaves=self.octaves, nOctaveLayers=self.octave_layers
        )
