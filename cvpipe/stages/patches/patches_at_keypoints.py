"""Patches around keypoints."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

import numpy as np

from cvpipe.data import Images, Keypoints, Patches
from cvpipe.options import Count
from cvpipe.stage import Part, Stage
from cvpipe.stages.keypoints.dog_keypoints import DogKeypoints
from cvpipe.stages.patches._cut import Colour, patches_of


class PatchesAtKeypoints(Stage):
    """The window around each keypoint, upright, of one size whatever the keypoint's scale.

    Takes keypoints, or RGB images in which `detector` finds some. Gives (M, size, size, 3) uint8 patches in the order
    of the keypoints, each centred as nearly as whole pixels allow, and the centres in px of the image. Keypoints whose
    window would leave the image, and those at the pixel of an earlier one, give none. Raises what the detector raises.

    Source: Lazebnik, Schmid & Ponce, "A sparse texture representation using local affine regions", PAMI 2005
    (patches at the places of a detector).
    """

    size: Count = 8  # side of a patch, px
    # finds keypoints where images come in; keypoints that come in are taken as they are
    detector: Annotated[Stage, Part(Images, Keypoints)] = field(default_factory=DogKeypoints)
    colour: Colour = "rgb"  # grey: three equal channels of 0.299 R + 0.587 G + 0.114 B

    def transform(self, batch: Images | Keypoints) -> Patches:
        """(H, W, 3) uint8 RGB images or (M,) keypoints -> (M, size, size, 3) uint8 patches and their centres, px."""
        points: Keypoints = self.detector.transform(batch) if isinstance(batch, Images) else batch

        def find(image: np.ndarray, row: int) -> np.ndarray:
            return windows_around(points.xy[points.rows(row)], image.shape, self.size)

        return patches_of(points.images, self.size, self.colour, find)


def windows_around(centres: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """(m, 2) int64 x, y of the first pixels of the windows around (n, 2) places that lie in an image, each once."""
    corners = np.floor(centres - (size - 1) / 2 + 0.5).astype(np.int64)
    inside = ((corners >= 0) & (corners + size <= [shape[1], shape[0]])).all(axis=1)
    corners = corners[inside]
    _, first = np.unique(corners, axis=0, return_index=True)
    return corners[np.sort(first)]
