"""Histograms of oriented gradients."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.data import Features, Images
from cvpipe.errors import RunError
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.hog import block_vectors, cell_histograms
from cvpipe.vision.working_size import grey, resized


class Hog(Stage):
    """Directions of edges in a grid of cells, made even over overlapping blocks of cells.

    Takes RGB images of any size, resized to `size` x `size` px. Gives (n, B^2 block^2 orientations) float32 in
    [0, 1], where B = size // cell - block + 1 is the number of blocks along a side. Directions are unsigned.
    An image without edges gives zeros. Raises `RunError` if a block is larger than the image.

    Source: Dalal & Triggs, "Histograms of oriented gradients for human detection", CVPR 2005, section 6.
    """

    size: Count = 128  # side to which images are resized, px; Dalal & Triggs' windows were 64 x 128
    cell: Count = 16  # side of a cell, px of the resized image; 8 is finer and four times as wide
    block: Count = 2  # cells along a side of a block; Dalal & Triggs 2005, section 6.4
    orientations: Count = 9  # directions over 180 degrees; Dalal & Triggs 2005, section 6.3
    channels: Literal["rgb", "grey"] = "rgb"  # rgb: each pixel's steepest channel counts

    def conflicts(self) -> list[str]:
        """A block that is larger than the image."""
        if self.size // self.cell >= self.block:
            return []
        block = f"a block of {self.block} cells of {self.cell} px"
        return [f"stage '{self.name}': {block} does not fit into {self.size} px"]

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, B^2 block^2 orientations) float32 in [0, 1]."""
        if wrong := self.conflicts():
            raise RunError(wrong)
        blocks = self.size // self.cell - self.block + 1
        return rows_of(images, blocks**2 * self.block**2 * self.orientations, self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        pixels = resized(image if self.channels == "rgb" else grey(image), self.size)
        cells = cell_histograms(pixels, self.cell, self.orientations)
        return block_vectors(cells, self.block).ravel()
