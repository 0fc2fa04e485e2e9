"""Statistics of grey-level co-occurrence."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval, MinLen

from cvpipe.data import Features, Images
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.features._rows import rows_of
from cvpipe.vision.glcm import PROPERTIES, cooccurrence, properties
from cvpipe.vision.working_size import grey


class Glcm(Stage):
    """Haralick's textural features: mean and range, over four directions, of properties of co-occurrence.

    Takes RGB images of any size, made grey, in `levels` equal steps. Gives (n, 10 distances) float32: for each
    distance the means of contrast (levels^2), homogeneity (0 to 1), energy (0 to 1), correlation (-1 to 1) and
    entropy (bits), then their ranges (largest - smallest), over 0, 45, 90 and 135 degrees, without those in which no
    two pixels of the image lie so far apart; where that is so in all of them, zeros. Raises nothing.

    Source: Haralick, Shanmugam & Dinstein, "Textural features for image classification", IEEE Trans. Systems,
    Man, and Cybernetics 1973, section III and appendix I.
    """

    levels: Annotated[int, Interval(ge=2, le=256)] = 16  # grey levels; Haralick et al. 1973 used 16
    distances: Annotated[tuple[Count, ...], MinLen(1)] = (1, 2, 4)  # px, in x and y for diagonals

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, 10 distances) float32."""
        return rows_of(images, 2 * len(PROPERTIES) * len(self.distances), self._describe)

    def _describe(self, image: np.ndarray) -> np.ndarray:
        level = grey(image).astype(np.int64) * self.levels // 256
        found = [properties(_with_pairs(cooccurrence(level, self.levels, d))) for d in self.distances]
        return np.concatenate([part for f in found for part in (f.mean(axis=1), np.ptp(f, axis=1))])


def _with_pairs(tables: np.ndarray) -> np.ndarray:
    """(t, levels, levels) tables of the directions that have any pairs; one of zeros if none has."""
    filled = tables.any(axis=(1, 2))
    return tables[filled] if filled.any() else tables[:1]
