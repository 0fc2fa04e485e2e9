"""BRISK keypoints and descriptors, by OpenCV."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Interval

from cvpipe.data import BinaryDescriptors, Images
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.descriptors._binary import SIFT_WIDTH, describe, home

BYTES = 64
"""512 comparisons of smoothed points in pairs that lie near each other (Leutenegger et al. 2011, section 3.2)."""
PATTERN = 1.53
"""Diameter of the sampling pattern / size of a keypoint in OpenCV: 2 x 0.85 x 10.8 px for a size of 12."""


class Brisk(Stage):
    """Corners of a scale space, described by comparisons of points on circles around them.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives (M, 64) packed bits, which are OpenCV's, strongest
    first; equally strong ones by y, x, scale, angle. The scale is a twelfth of the described disc, as for SIFT's
    square. An image without a corner, or with a side too small for the coarsest octave, has no rows. Raises nothing.

    Source: Leutenegger, Chli & Siegwart, "BRISK: binary robust invariant scalable keypoints", ICCV 2011, section 3.
    """

    max_keypoints: Count | None = 500  # keep at most so many for each image, the strongest; null keeps all
    threshold: Annotated[int, Interval(ge=1, le=255)] = 30  # grey levels by which a corner differs; OpenCV's
    octaves: Annotated[int, Interval(ge=0, le=8)] = 3  # of the scale space, 0 for one scale; OpenCV's
    pattern_scale: Positive = 1.0  # widens or narrows the pattern

    def transform(self, images: Images) -> BinaryDescriptors:
        """(H, W, 3) uint8 RGB images -> (M, 64) uint8 packed bits with places and scales in px."""
        sigmas = PATTERN * self.pattern_scale / SIFT_WIDTH
        # OpenCV fails on images that the coarsest layer, 1.5 octaves further, would shrink to nothing.
        return describe(images, self._make, BYTES, sigmas, 2 ** (self.octaves + 1), self.max_keypoints)

    def _make(self, side: int) -> Any:
        return home("BRISK").BRISK_create(self.threshold, self.octaves, self.pattern_scale)
