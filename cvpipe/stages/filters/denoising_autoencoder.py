"""Filters that are the hidden units of a denoising autoencoder."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from cvpipe.options import NonNegative
from cvpipe.stages.filters._autoencoder import AutoencoderFilters


class DenoisingAutoencoder(AutoencoderFilters):
    """Hidden units that draw white patches again although parts of them were hidden; pooled over an image.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    filters) float32: region after region, pool after pool. Codes of a patch are the activations of the hidden
    units: in [0, 1] with `activation: sigmoid`, not negative with `relu`. Every patch of the image that lies inside
    it is encoded, `stride` px apart, without noise. An image smaller than a patch gives zeros. Fewer patches than
    `filters` are learned by heart. Training runs on the device of the run, encoding on the processor. Raises
    `RunError` if there are no patches or if training diverges.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Vincent et al., "Stacked denoising autoencoders", JMLR 2010, sections 3.1 and 3.3.
    """

    masked: Annotated[float, Interval(ge=0, lt=1)] = 0.25  # share of each patch's white numbers set to 0
    noise: NonNegative = 0.0  # standard deviation of what is added to white numbers, whose own is about 1

    def _learn(self, rows: np.ndarray) -> None:
        from cvpipe.nets.autoencoder import Objective

        how = Objective(self.activation, "none", 0.5, 0.0, self.decay)
        self._train(rows, how, masked=self.masked, noise=self.noise)
