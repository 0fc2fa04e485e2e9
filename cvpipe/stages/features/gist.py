"""The gist of a scene: where in it there are which edges."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval

from cvpipe.data import Features, Images
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.gist import block_energies, prefiltered
from cvpipe.vision.working_size import grey, resized


class Gist(Stage):
    """Energy of oriented filters at several scales, averaged in the blocks of a grid: the layout of a scene.

    Takes RGB images of any size, made grey, resized to `size` x `size` px, stretched to brightnesses of 0 to 255
    and evened out in brightness and contrast. Gives (n, scales orientations grid^2) float32, not negative: scale
    by scale from the finest, orientation by orientation, block by block in rows. A flat image gives zeros.
    Raises nothing.

    Source: Oliva & Torralba, "Modeling the shape of the scene: a holistic representation of the spatial
    envelope", IJCV 2001, sections 3 and 4.
    """

    size: Annotated[int, Ge(32)] = 128  # side to which images are resized, px
    scales: Annotated[int, Interval(ge=1, le=8)] = 4  # 1.85 times apart; 4, as in the authors' program
    orientations: Count = 8  # over 180 degrees; 8, as in the authors' program
    grid: Annotated[int, Interval(ge=1, le=32)] = 4  # blocks along a side; 4, as in the authors' program

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, scales orientations grid^2) float32."""
        return rows_of(images, self.scales * self.orientations * self.grid**2, self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        level = resized(grey(image), self.size).astype(np.float32)
        level -= level.min()
        if not level.any():
            return np.zeros(self.scales * self.orientations * self.grid**2, np.float32)
        level *= np.float32(255) / level.max()
        return block_energies(prefiltered(level), self.scales, self.orientations, self.grid).ravel()
