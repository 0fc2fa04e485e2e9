"""Filters that are the hidden units of a sparse autoencoder."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from cvpipe.data.exhibits import Exhibit
from cvpipe.errors import SpecError
from cvpipe.options import Fraction, NonNegative
from cvpipe.stages.filters._autoencoder import AutoencoderFilters
from cvpipe.stages.filters._exhibits import use_curve


class SparseAutoencoder(AutoencoderFilters):
    """Hidden units from which white patches can be drawn again, few of them active at a time; pooled over an image.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    filters) float32: region after region, pool after pool. Codes of a patch are the activations of the hidden
    units: in [0, 1] with `activation: sigmoid`, not negative with `relu`. Every patch of the image that lies inside
    it is encoded, `stride` px apart. An image smaller than a patch gives zeros. Fewer patches than `filters` are
    learned by heart: legal, useless. Training runs on the device of the run, encoding on the processor. Raises
    `RunError` if there are no patches or if training diverges, `SpecError` for `penalty: kl` with `activation:
    relu`, whose mean is no probability.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Zhang, Du & Zhang, "Saliency-guided unsupervised feature learning for scene classification", IEEE TGRS 2015,
    section III (dropout in a sparse autoencoder on salient patches); Ng, "Sparse autoencoder", CS294A notes, 2011.
    """

    # what keeps units silent: KL from `rho`, or the mean of activations
    penalty: Literal["kl", "l1", "none"] = "kl"
    # wanted mean activation of a unit, for kl; Ng 2011, exercise: 0.035 on white colour patches
    rho: Fraction = 0.02
    beta: NonNegative = 5.0  # weight of the penalty; Ng 2011, the same exercise
    dropout: Annotated[float, Interval(ge=0, lt=1)] = (
        0.0  # share of units switched off for each patch in training
    )

    def conflicts(self) -> list[str]:
        """Also a penalty that is not for the activation."""
        found = super().conflicts()
        if self.penalty == "kl" and self.activation == "relu":
            found.append(
                f"stage '{self.name}': penalty: kl compares mean activations with a probability, but those of "
                "activation: relu have no upper end; use penalty: l1, or activation: sigmoid"
            )
        return found

    def _learn(self, rows: np.ndarray) -> None:
        from cvpipe.nets.autoencoder import Objective

        if wrong := self.conflicts():
            raise SpecError(wrong)
        how = Objective(self.activation, self.penalty, self.rho, self.beta, self.decay)
        self._train(rows, how, dropout=self.dropout)

    def exhibits(self) -> list[Exhibit]:
        """Also the mean activation of each unit against `rho`."""
        wanted = self.rho if self.penalty == "kl" else None
        return [*super().exhibits(), use_curve(self.use_, wanted)]
