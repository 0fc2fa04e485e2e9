"""Patches at random places."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Images, Maps, Patches
from cvpipe.options import Count, Seed
from cvpipe.stage import Stage
from cvpipe.stages.patches._cut import Colour, addresses, corners_of, patches_of, place_count


class RandomPatches(Stage):
    """Windows drawn evenly over each image, no place twice: what any cleverer sampler has to beat.

    Takes RGB images of any size, or maps of C channels, whose patches are (M, size, size, C) float32 with centres in
    positions of the maps. Gives `count` patches for each, (M, size, size, 3) uint8, in the order of the draw,
    with centres in px of the image. An image with fewer places gives one patch for each place, one smaller than a patch
    gives none. The draw of an image depends on the seed and its id only; that of maps on the seed and their numbers.
    Raises nothing.

    Source: Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011,
    section 3.
    """

    size: Count = 8  # side of a patch, px; Coates 2011 has 6 for images of 32 px
    count: Count = 100  # patches in each image
    colour: Colour = "rgb"  # grey: three equal channels of 0.299 R + 0.587 G + 0.114 B; no matter for maps
    seed: Seed = None  # of the draws

    def transform(self, batch: Images | Maps) -> Patches:
        """(H, W, 3) uint8 RGB images -> (M, size, size, 3) uint8 patches and their centres, px; (h, w, C) maps ->
        (M, size, size, C) float32."""
        names = addresses(batch)
        return patches_of(batch, self.size, self.colour, lambda image, row: self._find(image, names[row]))

    def _find(self, image: np.ndarray, name: str) -> np.ndarray:
        places = place_count(image, self.size)
        drawn = self.rng(name).choice(places, min(self.count, places), replace=False)
        return corners_of(drawn, image, self.size)
