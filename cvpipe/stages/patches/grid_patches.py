"""Patches on a regular grid."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Images, Maps, Patches
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.patches._cut import Colour, patches_of


class GridPatches(Stage):
    """Windows on a grid over each image, whatever is there.

    Takes RGB images of any size, or maps of C channels, whose patches are (M, size, size, C) float32 with centres in
    positions of the maps. Gives (M, size, size, 3) uint8 patches row by row, with centres in px of the image;
    the grid is centred. An image smaller than a patch gives none. Raises nothing.

    Source: Fei-Fei & Perona, "A Bayesian hierarchical model for learning natural scene categories", CVPR 2005,
    section 3 (evenly sampled grid).
    """

    size: Count = 8  # side of a patch, px
    step: Count = 8  # px between neighbouring patches; `size` lays them edge to edge
    colour: Colour = "rgb"  # grey: three equal channels of 0.299 R + 0.587 G + 0.114 B; no matter for maps

    def transform(self, batch: Images | Maps) -> Patches:
        """(H, W, 3) uint8 RGB images -> (M, size, size, 3) uint8 patches and their centres, px; (h, w, C) maps ->
        (M, size, size, C) float32."""
        return patches_of(batch, self.size, self.colour, self._find)

    def _find(self, image: np.ndarray, row: int) -> np.ndarray:
        room = [side - self.size for side in image.shape[:2]]
        y, x = (np.arange(free % self.step // 2, free + 1, self.step) for free in room)
        return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
