"""Filters that are training patches themselves."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.stages.filters._coding import Coding, triangle_coding
from cvpipe.stages.filters._linear import LinearFilters
from cvpipe.vision.kmeans import distinct_rows
from cvpipe.vision.unit import unit


class RandomPatchesFilters(LinearFilters):
    """White training patches of length 1, drawn at random: exemplars.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools * codes)
    float32: region after region, pool after pool. Codes of a patch, by `encode`: products, its products with the
    exemplars; by `sign`, positive and negative parts after each other (codes = 2 filters), or sizes (codes = filters);
    triangle, max(0, mean distance - distance) (codes = filters). Every patch of the image that lies inside it is
    encoded, `stride` px apart. An image smaller than a patch gives zeros. If there are fewer distinct patches than
    `filters`, there are fewer columns. Raises `RunError` if there are no patches.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Coates & Ng, "The importance of encoding versus training with sparse coding and vector quantization", ICML
    2011, section 3.1 (RP).
    """

    encode: Literal["products", "triangle"] = "products"  # how a patch becomes a code

    def _learn(self, rows: np.ndarray) -> None:
        self.filters_ = unit(distinct_rows(rows, self.filters, self.rng("fit")))

    def _coding(self) -> Coding:
        return triangle_coding(self.filters_) if self.encode == "triangle" else super()._coding()
