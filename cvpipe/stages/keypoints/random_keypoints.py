"""Keypoints at random places."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Images, Keypoints
from cvpipe.errors import RunError
from cvpipe.options import Count, Positive, Seed
from cvpipe.stage import Stage
from cvpipe.stages.keypoints._tables import keypoints_of


class RandomKeypoints(Stage):
    """Places drawn evenly over the image, and scales evenly in their logarithm: what a detector has to beat.

    Takes RGB images of any size. Gives `count` keypoints for each, upright (angle 0), of response 0, in the order of
    the draw. The draw of an image depends on the seed and its id only. Raises `RunError` if the smallest scale is
    above the largest.

    Source: Nowak, Jurie & Triggs, "Sampling strategies for bag-of-features image classification", ECCV 2006,
    section 2.
    """

    count: Count = 500  # places in each image
    smallest: Positive = 1.6  # sigma, px; SIFT describes a square of 12 sigmas
    largest: Positive = 6.4  # sigma, px; two octaves above the smallest
    seed: Seed = None  # of the draws

    def conflicts(self) -> list[str]:
        """Scales in the wrong order."""
        if self.smallest <= self.largest:
            return []
        return [f"stage '{self.name}': smallest: {self.smallest} is above largest: {self.largest}"]

    def transform(self, images: Images) -> Keypoints:
        """(H, W, 3) uint8 RGB images -> (n count,) keypoints with places and scales in px."""
        if wrong := self.conflicts():
            raise RunError(wrong)
        return keypoints_of(images, self._find)

    def _find(self, image: np.ndarray, name: str) -> np.ndarray:
        height, width = image.shape[:2]
        x, y, octave = self.rng(name).random((3, self.count)) * [[width - 1], [height - 1], [1]]
        scale = self.smallest * (self.largest / self.smallest) ** octave
        nothing = np.zeros(self.count)
        return np.column_stack([x, y, scale, nothing, nothing])
