"""The gradient of an autoencoder's loss on a batch, written out in torch: for any device and any type of number.

With R = x^ - t, n rows, and S = R D' / n + slope of the penalty, through f:
    slope of A' = S' x + decay A',    of D = (h * kept)' R / n + decay D,    of b = sum S,    of c = sum R / n

On the processor, float32 goes through `autoencoder_pieces`, which computes the same in threads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

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

Span = tuple[int, int]


class Batch:
    """What a gradient is taken of. `fill(start, stop)` sets those rows of `targets` and `seen` when they are needed."""

    def __init__(self, targets: Tensor, seen: Tensor, kept: Tensor | None, fill: Callable[[int, int], None]):
        self.targets, self.seen, self.kept, self.fill = targets, seen, kept, fill
        """(n, d), (n, d), and (n, hidden), what the units are multiplied by for dropout, or None."""


class Slopes(Protocol):
    """A way to compute the gradient. `then(start, stop)` is called, in any thread, as soon as that part of the vector
    of the gradient is done, when nobody reads that part of the parameters any more."""

    into: Parameters
    """The gradient of the last batch."""
    parts: list[Span]
    """The parts of the vector, as `then` is given them."""
    then: Callable[[int, int], None]

    def of(self, batch: Batch) -> Tensor | np.ndarray:
        """Set `into`; gives (3,): reconstruction error, penalty and decay, whose sum is the loss."""

    def losses(self, rows: Tensor) -> Tensor | np.ndarray:
        """(3,) float64: the same losses on any number of rows, without noise and without a gradient."""


def nothing(start: int, stop: int) -> None:
    """What is done with a part of a gradient until something else is asked for."""


class Gradient:
    """All rows of a batch and the whole vector at once; watched rows come `most` at a time."""

    def __init__(self, parameters: Parameters, how: Objective, most: int) -> None:
        self.parameters, self.how, self.most = parameters, how, most
        self.into = parameters.like(torch.zeros_like(parameters.vector))
        self.parts: list[Span] = [(0, len(parameters.vector))]
        self.then: Callable[[int, int], None] = nothing

    def of(self, batch: Batch) -> Tensor:
        """As in `Slopes`."""
        n, p, how, into = len(batch.targets), self.parameters, self.how, self.into
        batch.fill(0, n)
        hidden = hidden_units(p, batch.seen, how.activation)
        mean = hidden.mean(dim=0)
        used = hidden if batch.kept is None else hidden * batch.kept
        residual = reconstruction(p, used) - batch.targets
        back = (residual @ p.decoder.T).div_(n)
        back = back if batch.kept is None else back.mul_(batch.kept)
        back = through_activation(back.add_(penalty_slope(mean, how) / n), hidden, how.activation)
        torch.sum(back, dim=0, out=into.bias)
        torch.mean(residual, dim=0, out=into.output)
        torch.mul(p.matrices, how.decay, out=into.matrices)
        into.encoder.addmm_(back.T, batch.seen)
        into.decoder.addmm_(used.T, residual, alpha=1 / n)  # the encoder itself if weights are tied
        found = [residual.square().sum() / (2 * n), penalty(mean, how), self._decay()]
        self.then(*self.parts[0])
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

    def _decay(self) -> Tensor:
        return self.how.decay / 2 * self.parameters.matrices.square().sum()
