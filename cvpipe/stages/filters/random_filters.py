"""Filters that are random: what all that is learned has to beat."""

from __future__ import annotations

import numpy as np

from cvpipe.stages.filters._linear import LinearFilters
from cvpipe.vision.unit import unit


class RandomFilters(LinearFilters):
    """Random directions of length 1 on white patches; only brightness, contrast and whitening are learned.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    codes) float32: region after region, pool after pool. Codes of a patch: its products with the directions; by
    `sign`, positive and negative parts after each other (codes = 2 filters), or sizes (codes = filters). Every
    patch of the image that lies inside it is encoded, `stride` px apart. An image smaller than a patch gives zeros.
    Raises `RunError` if there are no patches.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Saxe et al., "On random weights and unsupervised feature learning", ICML 2011; Jarrett et al., "What is the
    best multi-stage architecture for object recognition?", ICCV 2009, section 4.
    """

    def _learn(self, rows: np.ndarray) -> None:
        draws = self.rng("fit").standard_normal((self.filters, rows.shape[1]))
        self.filters_ = unit(draws.astype(np.float32))
