"""The gradient of an autoencoder's loss on a batch, written out in torch: for any device and any type of number.

With R = x^ - t, n rows, and S = R D' / n + slope of the penalty, through f:
    slope of A' = S' x + decay A',    of D = (h * kept)' R / n + decay D,    of b = sum S,    of c = sum R / n

On the processor, float32 goes through `autoencoder_pieces`, which computes the same in threads.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets.autoencoder import (
    Objective,
    Parameters,
    hidden_units,
    penalty,
    penalty_slope,
    reconstruction,
    through_activation,
)
from cvpipe.nets.autoencoder_steps import Adam


@dataclass(frozen=True, eq=False)
class Source:
    """Where batches come from, all in the same memory: of what is drawn a batch of n has the first n rows."""

    rows: Tensor
    """(N, d)."""
    coins: Tensor | None
    """(most, d), what the numbers of a batch are multiplied by before the encoder sees them."""
    added: Tensor | None
    """(most, d), what is then added to them."""
    kept: Tensor | None
    """(most, hidden), what the units are multiplied by for dropout."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What a gradient is taken of: (n,) of the rows, by number."""

    order: Tensor
    source: Source

    def targets(self) -> Tensor:
        """(n, d)."""
        return self.source.rows[self.order]

    def seen(self, targets: Tensor) -> Tensor:
        """(n, d): what the encoder sees of them."""
        n, source = len(targets), self.source
        seen = targets if source.coins is None else targets * source.coins[:n]
        return seen if source.added is None else seen + source.added[:n]

    def kept(self) -> Tensor | None:
        """(n, hidden), if there is dropout."""
        return None if self.source.kept is None else self.source.kept[: len(self.order)]


class Slopes(AbstractContextManager[Any], Protocol):
    """A way to compute the gradient; use it within `with`."""

    into: Parameters
    """The gradient of the last batch."""

    def of(self, batch: Batch, then: Adam | None = None) -> Tensor | np.ndarray:
        """Set `into`, and take a step. Gives (3,), from before it: reconstruction error, penalty and decay, whose sum
        is the loss."""

    def losses(self, rows: Tensor) -> Tensor | np.ndarray:
        """(3,) float64: the same losses on any number of rows, without noise and without a gradient."""


class Gradient(AbstractContextManager[Any]):
    """All rows of a batch and the whole vector at once, by one thread; watched rows come `most` at a time."""

    def __init__(self, parameters: Parameters, how: Objective, most: int) -> None:
        self.parameters, self.how, self.most = parameters, how, most
        self.into = parameters.like(torch.zeros_like(parameters.vector))

    def of(self, batch: Batch, then: Adam | None = None) -> Tensor:
        """As in `Slopes`."""
        n, p, how, into = len(batch.order), self.parameters, self.how, self.into
        targets, kept = batch.targets(), batch.kept()
        seen = batch.seen(targets)
        hidden = hidden_units(p, seen, how.activation)
        mean = hidden.mean(dim=0)
        used = hidden if kept is None else hidden * kept
        residual = reconstruction(p, used) - targets
        back = (residual @ p.decoder.T).div_(n)
        back = back if kept is None else back.mul_(kept)
        back = through_activation(back.add_(penalty_slope(mean, how) / n), hidden, how.activation)
        torch.sum(back, dim=0, out=into.bias)
        torch.mean(residual, dim=0, out=into.output)
        torch.mul(p.matrices, how.decay, out=into.matrices)
        into.encoder.addmm_(back.T, seen)
        into.decoder.addmm_(used.T, residual, alpha=1 / n)  # the encoder itself if weights are tied
        found = [residual.square().sum() / (2 * n), penalty(mean, how), self._decay()]
        if then:
            then.step()
        return torch.stack(found)

    def losses(self, rows: Tensor) -> Tensor:
        """As in `Slopes`."""
        p, how = self.parameters, self.how
        sums = rows.new_zeros(p.encoder.shape[0], dtype=torch.float64)
        error = rows.new_zeros((), dtype=torch.float64)
        for some in rows.split(self.most):
            hidden = hidden_units(p, some, how.activation)
            sums += hidden.sum(dim=0)
            error += (reconstruction(p, hidden) - some).square().sum()
        found = [error / (2 * len(rows)), penalty(sums / len(rows), how), self._decay()]
        return torch.stack([value.double() for value in found])

    def __exit__(self, *error: object) -> None:
        """Nothing to end."""

    def _decay(self) -> Tensor:
        return self.how.decay / 2 * self.parameters.matrices.square().sum()
