"""Keypoints on a regular grid."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import MinLen

from cvpipe.data import Images, Keypoints
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.keypoints._tables import keypoints_of


class GridKeypoints(Stage):
    """Places on a grid, whatever is there, at one scale or several: dense sampling.

    Takes RGB images of any size. Gives the pixels of a centred grid, row by row, each with all scales one after the
    other; upright (angle 0), of response 0. Every image has at least one place. Raises nothing.

    Source: Fei-Fei & Perona, "A Bayesian hierarchical model for learning natural scene categories", CVPR 2005,
    section 3 (evenly sampled grid).
    """

    step: Count = 8  # px between neighbouring places
    scales: Annotated[tuple[Positive, ...], MinLen(1)] = (
        2.0,
    )  # sigmas, px; SIFT describes a square of 12 sigmas

    def transform(self, images: Images) -> Keypoints:
        """(H, W, 3) uint8 RGB images -> (M,) keypoints with places and scales in px."""
        return keypoints_of(images, self._find)

    def _find(self, image: np.ndarray, name: str) -> np.ndarray:
        y, x = (np.arange((side - 1) % self.step // 2, side, self.step) for side in image.shape[:2])
        rows, columns, scales = (a.ravel() for a in np.meshgrid(y, x, self.scales, indexing="ij"))
        nothing = np.zeros(len(scales))
        return np.column_stack([columns, rows, scales, nothing, nothing])
