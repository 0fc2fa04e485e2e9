"""Descriptors that know where in the image they lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cvpipe.data import Descriptors
from cvpipe.options import NonNegative
from cvpipe.stage import Stage


class AppendXy(Stage):
    """Two more components: the place in the image, x / width - 1/2 and y / height - 1/2, times `weight`.

    Takes (M, D) descriptors, gives (M, D + 2) float32. The first pixel's left edge is 0, the last one's right
    edge is 1, so the new components lie within half of `weight` of 0. Raises nothing.

    Source: Sanchez, Perronnin & de Campos, "Modeling the spatial layout of images beyond spatial pyramids",
    Pattern Recognition Letters 2012, section 3.
    """

    weight: NonNegative = (
        1.0  # unit of a descriptor per image width; as large as one of its components varies
    )

    cached = False
    row_by_row = True

    def transform(self, descriptors: Descriptors) -> Descriptors:
        """(M, D) uint8 or float32 -> (M, D + 2) float32."""
        size = np.repeat(descriptors.size[:, ::-1], descriptors.counts, axis=0)  # width, height
        # Coordinates count from the centre of the first pixel.
        place = ((descriptors.xy + 0.5) / np.maximum(size, 1) - 0.5) * self.weight
        values = np.concatenate([descriptors.values, place], axis=1, dtype=np.float32)
        return replace(descriptors, values=values)
