"""Filters that are the independent components of patches."""

from __future__ import annotations

import numpy as np

from cvpipe.options import Count, Positive
from cvpipe.stages.filters._linear import LinearFilters
from cvpipe.vision.ica import fast_ica


class IcaFilters(LinearFilters):
    """Independent components of white patches: directions in which patches are as far from Gaussian as can be.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    codes) float32: region after region, pool after pool. Codes of a patch: its products with the components; by
    `sign`, positive and negative parts after each other (codes = 2 filters), or sizes (codes = filters). Every
    patch of the image that lies inside it is encoded, `stride` px apart. An image smaller than a patch gives zeros.
    There are at most as many components as numbers in a white patch, and as patches; more `filters` are not
    learned. Raises `RunError` if there are no patches.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Hyvarinen, "Fast and robust fixed-point algorithms for independent component analysis", IEEE Trans. Neural
    Networks 1999; Bell & Sejnowski, "The independent components of natural scenes are edge filters", Vision Research
    1997.
    """

    iterations: Count = 200  # most iterations
    tolerance: Positive = 1e-4  # they end when the cosine of each turn is so near to 1

    def _learn(self, rows: np.ndarray) -> None:
        count = min(self.filters, *rows.shape)
        self.filters_ = fast_ica(rows, count, self.iterations, self.tolerance, self.rng("fit"))
