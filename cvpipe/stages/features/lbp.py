"""Local binary patterns at several radii."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from cvpipe.data import Features, Images
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.lbp import brighter, directed_codes, uniform_codes
from cvpipe.vision.working_size import grey

POINTS = 8
"""Neighbours per pixel of radius: 8 at radius 1, 16 at 2, 24 at 3; Ojala et al. 2002, section 3."""


class Lbp(Stage):
    """How often each uniform pattern of brighter and darker neighbours occurs, at radii of 1, 2, ... px.

    Takes RGB images of any size, made grey. A pixel's pattern says which of 8 r neighbours on a circle of r px
    are at least as bright. Gives one histogram of sum 1 for each radius, the smallest first: 8 r + 2 numbers,
    or 8 r (8 r - 1) + 3 if rotations are told apart; (n, D) float32. The last of each is the share of patterns
    that are not uniform. A radius whose circle fits nowhere into the image gives zeros. Raises nothing.

    Source: Ojala, Pietikainen & Maenpaa, "Multiresolution gray-scale and rotation invariant texture
    classification with local binary patterns", PAMI 2002, section 2.
    """

    radii: Annotated[int, Interval(ge=1, le=8)] = 3  # radii of 1 to so many px; Ojala et al. 2002 used 3
    rotation_invariant: bool = True  # false tells apart where on the circle the bright part begins

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, D) float32 shares."""
        return rows_of(images, sum(map(self._width, range(1, self.radii + 1))), self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        level = grey(image)
        return np.concatenate([self._histogram(level, radius) for radius in range(1, self.radii + 1)])

    def _width(self, radius: int) -> int:
        points = POINTS * radius
        return points + 2 if self.rotation_invariant else points * (points - 1) + 3

    def _histogram(self, level: np.ndarray, radius: int) -> np.ndarray:
        bits = brighter(level, POINTS * radius, radius)
        codes = uniform_codes(bits) if self.rotation_invariant else directed_codes(bits)
        return np.bincount(codes.ravel(), minlength=self._width(radius)) / max(codes.size, 1)
