"""Encoders in two steps, coding and pooling, so that a pyramid codes each descriptor once for all of its cells.

Source of the two steps: Boureau, Bach, LeCun & Ponce, "Learning mid-level features for recognition", CVPR 2010,
section 2.
"""

from __future__ import annotations

import numpy as np

from cvpipe.data import Descriptors, Features
from cvpipe.stage import Learner


class Coder(Learner):
    """An encoder that codes each descriptor by itself, and pools the codes of an image or of a cell."""

    def coded(self, rows: np.ndarray) -> np.ndarray:
        """An array with one entry for each of the (m, D) descriptors of an image. Raises `RunError` for another D."""
        raise NotImplementedError(f"stage '{self.name}' has no coded")

    def pooled(self, codes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """(cells, width) float32 from codes, of which cell i has `offsets[i]:offsets[i + 1]`; an empty one gives
        zeros."""
        raise NotImplementedError(f"stage '{self.name}' has no pooled")

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) descriptors -> (n, width) float32."""
        # Image by image, so that the last bit of a product, and so a code, depends on nothing else.
        parts = [self._of_one(descriptors.values[descriptors.rows(i)]) for i in range(len(descriptors))]
        none = self._of_one(descriptors.values[:0])[:0]
        return Features(values=np.concatenate([none, *parts]))

    def _of_one(self, rows: np.ndarray) -> np.ndarray:
        return self.pooled(self.coded(rows), np.array([0, len(rows)]))
