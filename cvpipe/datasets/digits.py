"""The small digits that scikit-learn brings along."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Dataset, Images
from cvpipe.datasets._source import Source

LARGEST_INK = 16  # each value counts the inked pixels of a 4x4 cell


class Digits(Source):
    """Handwritten digits of 8x8 pixels.

    1,797 images, 10 classes of 174 to 183. Each value counts the inked pixels in a 4x4 cell of a 32x32 scan;
    0 to 16 is scaled linearly to 0 to 255. From the test part of the UCI set "Optical Recognition of
    Handwritten Digits" (Alpaydin & Kaynak 1998, CC BY 4.0), as the scikit-learn wheel brings it. Who wrote a
    digit is not known there, so writers cannot be kept apart. Protocol: `{kfold: 5}`.
    """

    def load(self) -> Dataset:
        """All images, in memory (115 KB)."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        pixels = np.rint(digits.images * (255 / LARGEST_INK)).astype(np.uint8)
        return Dataset("digits", Images.from_arrays(pixels), digits.target.astype(str))
