"""How often each colour occurs."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from cvpipe.data import Features, Images
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.colour import Space, in_space


class ColourHistogram(Stage):
    """Share of the pixels of an image in each of some boxes of a colour space.

    Takes RGB images of any size, gives (n, bins^3) float32 for joint boxes, the last channel running fastest,
    or (n, 3 bins) for one histogram per channel, one after the other; each histogram sums to 1. Boxes are
    equally wide in the 8-bit values. Raises nothing.

    Source: Swain & Ballard, "Color indexing", IJCV 1991, section 2.
    """

    space: Space = "rgb"  # hls: hue, lightness, saturation; lab: CIELab, where distances are as seen
    layout: Literal["joint", "per_channel"] = "joint"  # boxes of the space, or each channel by itself
    bins: Annotated[int, Interval(ge=1, le=64)] = 8  # per channel; joint: 8 x 8 x 8 = 512 numbers

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, bins^3) or (n, 3 bins) float32 in [0, 1]."""
        width = self.bins**3 if self.layout == "joint" else 3 * self.bins
        return rows_of(images, width, self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        pixels = in_space(image, self.space).reshape(-1, 3)
        level = pixels.astype(np.int64) * self.bins // 256
        if self.layout == "joint":
            weights = np.array([self.bins**2, self.bins, 1])
            return np.bincount(level @ weights, minlength=self.bins**3) / len(pixels)
        places = level + self.bins * np.arange(3)
        return np.bincount(places.ravel(), minlength=3 * self.bins) / len(pixels)
