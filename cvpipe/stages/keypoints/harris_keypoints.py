"""Harris corners, by structure tensors."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Interval

from cvpipe.data import Images, Keypoints
from cvpipe.options import Count, Fraction, Positive
from cvpipe.stage import Stage
from cvpipe.stages.keypoints._tables import NO_ANGLE, keypoints_of, strongest
from cvpipe.vision.harris import harris_response, peaks


class HarrisKeypoints(Stage):
    """Corners: places where a small window looks different after a shift in any direction.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives pixels, strongest first, equally strong ones by y,
    x; without an angle (-1), all of scale `sigma`. The response is det - k trace^2 of the structure tensor, in grey
    levels^4 / px^4. An image without corners has no rows. Raises nothing.

    Source: Harris & Stephens, "A combined corner and edge detector", Alvey Vision Conference 1988.
    """

    max_keypoints: Count | None = 500  # keep at most so many for each image, the strongest; null keeps all
    sigma: Positive = 2.0  # of the Gaussian window, px; also the scale that descriptors are told
    k: Annotated[float, Interval(gt=0, lt=0.25)] = (
        0.04  # larger drops corners that are nearly edges; 0.04 to 0.06 are usual
    )
    quality: Fraction = (
        0.01  # weakest response, as a share of the strongest one in the image; OpenCV's tutorials
    )
    distance: Count = 2  # px, in x and in y, within which only the strongest stays

    def transform(self, images: Images) -> Keypoints:
        """(H, W, 3) uint8 RGB images -> (M,) keypoints with places and scales in px."""
        return keypoints_of(images, self._find)

    def _find(self, image: np.ndarray, name: str) -> np.ndarray:
        response = harris_response(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), self.sigma, self.k)
        y, x = peaks(response, self.distance, self.quality * max(float(response.max()), 0.0))
        scale, angle = np.full(len(x), self.sigma), np.full(len(x), NO_ANGLE)
        return strongest(np.column_stack([x, y, scale, angle, response[y, x]]), self.max_keypoints)
