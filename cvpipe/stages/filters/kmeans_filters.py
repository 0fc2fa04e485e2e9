"""Filters that are the centres of k-means on patches."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cvpipe.options import Count, NonNegative
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.filters._coding import Coding, triangle_coding
from cvpipe.vision import filter_codes
from cvpipe.vision.kmeans import kmeans
from cvpipe.vision.spherical_kmeans import spherical_kmeans


class KmeansFilters(FilterLearner):
    """Centres of k-means on white patches; an image is how near its patches are to each of them, pooled.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    filters) float32: region after region, pool after pool. Codes of a patch: triangle, max(0, mean distance -
    distance), in units of white rows; hard, 1 for the nearest centre. Every patch of the image that lies inside it
    is encoded, `stride` px apart. An image smaller than a patch gives zeros. If there are fewer distinct patches
    than `filters`, these are the centres, and there are fewer columns. Raises `RunError` if there are no patches.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning", AISTATS 2011;
    Coates & Ng, "Learning feature representations with k-means", 2012, section 2 (spherical: true).
    """

    # the triangle won 77.9 to 68.6 on CIFAR-10 in Coates 2011
    encode: Literal["triangle", "hard"] = "triangle"
    # centres of length 1, compared by angle; signs do not matter when they are learned
    spherical: bool = False
    # most iterations; later ones gain less than 1 % inertia; 10 are enough if spherical
    iterations: Count = 30
    tolerance: NonNegative = 1e-3  # k-means ends when its inertia falls by less than this share of itself

    def _learn(self, rows: np.ndarray) -> None:
        rng = self.rng("fit")
        if self.spherical:
            self.filters_ = spherical_kmeans(rows, self.filters, self.iterations, rng)
        else:
            self.filters_ = kmeans(rows, self.filters, self.iterations, self.tolerance, rng).centres

    def _coding(self) -> Coding:
        centres = self.filters_
        if self.encode == "hard":
            norms = np.einsum("kd,kd->k", centres, centres, dtype=np.float64)
            return Coding(
                np.ascontiguousarray(centres.T), (-norms / 2).astype(np.float32), filter_codes.winner
            )
        return triangle_coding(centres)
