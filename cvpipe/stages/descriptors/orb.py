"""ORB keypoints and descriptors, by OpenCV."""

from __future__ import annotations

import math
from typing import Annotated, Any

import cv2
from annotated_types import Gt, Interval

from cvpipe.data import BinaryDescriptors, Images
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.descriptors._binary import SIFT_WIDTH, describe

BYTES = 32
"""256 comparisons of two pixels each (Rublee et al. 2011, section 4.2)."""
PATCH = 31
"""Side of the described square at the finest level, px (section 4.1)."""


class Orb(Stage):
    """Oriented FAST corners of an image pyramid, described by 256 comparisons of pixels turned by their angle.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives (M, 32) packed bits, which are OpenCV's, strongest
    first; equally strong ones by y, x, scale, angle. The scale is a twelfth of the described square, as SIFT's is.
    An image without a corner, or with a side of up to 2 `border` px, has no rows. Raises nothing.

    Source: Rublee, Rabaud, Konolige & Bradski, "ORB: an efficient alternative to SIFT or SURF", ICCV 2011.
    """

    max_keypoints: Count = 500  # at most so many for each image; each level gets a share by its area
    levels: Count = 8  # of the image pyramid
    scale_factor: Annotated[float, Gt(1)] = 1.2  # between two levels; OpenCV's
    border: Annotated[int, Interval(ge=2, le=1000)] = 31  # no corners so near to the border, px; OpenCV's
    threshold: Annotated[int, Interval(ge=1, le=255)] = 20  # grey levels by which a corner differs; OpenCV's

    def transform(self, images: Images) -> BinaryDescriptors:
        """(H, W, 3) uint8 RGB images -> (M, 32) uint8 packed bits with places and scales in px."""
        smallest = max(PATCH, 2 * self.border + 1)
        return describe(images, self._make, BYTES, 1 / SIFT_WIDTH, smallest, self.max_keypoints)

    def _make(self, side: int) -> Any:
        # OpenCV fails on levels without a pixel; what is below `border` px has no corners anyway.
        levels = 1 + int(math.log(side) / math.log(self.scale_factor))
        return cv2.ORB.create(
            self.max_keypoints,
            self.scale_factor,
            min(self.levels, levels),
            self.border,
            0,
            2,
            cv2.ORB_HARRIS_SCORE,
            PATCH,
            self.threshold,
        )
