"""Energies of a bank of Gabor filters."""

from __future__ import annotations

from typing import Annotated

import cv2
import numpy as np
from annotated_types import Ge, Interval

from cvpipe.data import Features, Images
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.gabor import energies
from cvpipe.vision.working_size import grey


class Gabor(Stage):
    """Mean and standard deviation of the responses of model complex cells, for each scale and orientation.

    Takes RGB images of any size, made grey, of 0 to 1. Simple cells are Gabor filters in pairs, even and odd; a
    complex cell is sqrt(even^2 + odd^2), which does not depend on the phase. Scales are an octave apart. Gives
    (n, 2 scales orientations) float32, not negative: scale by scale from the finest, in each orientation by
    orientation, mean before deviation. A flat image gives zeros up to rounding. Raises nothing.

    Source: Manjunath & Ma, "Texture features for browsing and retrieval of image data", PAMI 1996, section
    3 (mean and deviation); Adelson & Bergen, "Spatiotemporal energy models for the perception of motion", JOSA
    A 1985 (energy of quadrature pairs).
    """

    scales: Annotated[int, Interval(ge=1, le=8)] = 4  # octaves; 4, as in Manjunath & Ma 1996
    orientations: Count = 6  # over 180 degrees; 6, as in Manjunath & Ma 1996
    # of the finest scale, px; 4 leaves an octave below the limit of 2, where odd filters are 0 at every pixel
    wavelength: Annotated[float, Ge(2.5)] = 4.0
    aspect: Positive = 0.5  # width / length of a filter; 0.23 to 0.92 in cortex (Jones & Palmer 1987)

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, 2 scales orientations) float32."""
        return rows_of(images, 2 * self.scales * self.orientations, self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        level = grey(image).astype(np.float32) / np.float32(255)
        cells = energies(level, self.wavelength, self.scales, self.orientations, self.aspect)
        return np.array([cv2.meanStdDev(cell) for cell in cells]).ravel()
