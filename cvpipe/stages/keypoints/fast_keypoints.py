"""Corners by the segment test, by OpenCV."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Interval

from cvpipe.data import Images, Keypoints
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.keypoints._tables import NO_ANGLE, keypoints_of, strongest

SMALLEST = 7
"""Side of the circle that is tested, px: smaller images have no corners."""


class FastKeypoints(Stage):
    """FAST corners: at least 9 neighbouring pixels of 16 on a circle are all brighter, or all darker, than the middle.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives pixels that are stronger than their 8 neighbours,
    strongest first, equally strong ones by y, x; without an angle (-1), all of the same scale. The response is the
    largest threshold at which the pixel is a corner, in grey levels. An image without corners has no rows. Raises
    nothing.

    Source: Rosten & Drummond, "Machine learning for high-speed corner detection", ECCV 2006.
    """

    max_keypoints: Count | None = 500  # keep at most so many for each image, the strongest; null keeps all
    threshold: Annotated[int, Interval(ge=1, le=255)] = 20  # grey levels by which the circle must differ
    scale: Positive = 2.0  # sigma that descriptors are told, px; SIFT describes a square of 12 sigmas

    def transform(self, images: Images) -> Keypoints:
        """(H, W, 3) uint8 RGB images -> (M,) keypoints with places and scales in px."""
        return keypoints_of(images, self._find)

    def _find(self, image: np.ndarray, name: str) -> np.ndarray:
        if min(image.shape[:2]) < SMALLEST:
            return np.empty((0, 5), np.float32)
        detector = cv2.FastFeatureDetector.create(self.threshold, True, cv2.FastFeatureDetector_TYPE_9_16)
        found = detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
        rows = [(*k.pt, self.scale, NO_ANGLE, k.response) for k in found]
        return strongest(np.array(rows, np.float32).reshape(-1, 5), self.max_keypoints)
