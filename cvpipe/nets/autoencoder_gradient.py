"""The gradient of an autoencoder's loss on a batch, written out and cut into pieces for threads.

Written out because autograd keeps every intermediate, walks a graph, and adds up after the products what the products
can add themselves. Here the five products of matrices take about two thirds of the time; nothing is allocated but a few
numbers for each unit. Rows are cut for what is done to each of them, hidden units for sums over rows. Pieces are the
same however many threads there are, so the gradient is the same to the last bit; a graphics processor takes a batch as
one piece.

With R = x^ - t, n rows, and S = R D' / n + slope of the penalty, through f:
    slope of A' = S' x + decay A',    of D = (h * kept)' R / n + decay D,    of b = sum S,    of c = sum R / n
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cvpipe.nets.autoencoder import (
    Objective,
    Parameters,
    activate,
    penalty,
    penalty_slope,
    through_activation,
)
from cvpipe.threads import Crew

ROWS = 128
"""Rows in a piece: 128 of 400 units fill half of a core's level-2 cache of 512 kB."""
UNITS = 200
"""Hidden units in a piece."""

Span = tuple[int, int]


class Batch:
    """What a gradient is taken of. `fill(start, stop)` sets those rows of `targets` and `seen` when they are needed."""

    def __init__(self, targets: Tensor, seen: Tensor, kept: Tensor | None, fill: Callable[[int, int], None]):
        self.targets, self.seen, self.kept, self.fill = targets, seen, kept, fill
        """(n, d), (n, d), and (n, hidden), what the units are multiplied by for dropout, or None."""


class Gradient:
    """The gradient of batches of up to `most` rows, and the memory it is computed in.

    `then(start, stop)` is called, in any thread, as soon as that part of the vector of the gradient is done, when
    nobody reads that part of the parameters any more.
    """

    def __init__(
        self, parameters: Parameters, how: Objective, most: int, crew: Crew,
        then: Callable[[int, int], None] = lambda start, stop: None,
    ) -> None:  # fmt: skip
        self.parameters, self.how, self.crew, self.then = parameters, how, crew, then
        vector = parameters.vector
        self.into = parameters.like(torch.zeros_like(vector))
        hidden, width = parameters.encoder.shape
        whole = vector.device.type != "cpu"
        self._row_spans = spans(most, most if whole else ROWS)
        self._unit_spans = spans(hidden, hidden if whole else UNITS)
        self._matrices = range(len(parameters.matrices))
        self._hidden, self._used, self._back = (vector.new_empty(most, hidden) for _ in range(3))
        self._residual = vector.new_empty(most, width)
        self._sums = vector.new_empty(len(self._row_spans), hidden)
        self._errors = vector.new_empty(len(self._row_spans))
        self._squares = vector.new_zeros(len(self._matrices), len(self._unit_spans))
        firsts = [matrix * hidden for matrix in self._matrices]
        matrices = [((m + a) * width, (m + b) * width) for m in firsts for a, b in self._unit_spans]
        self.parts = [*matrices, (len(firsts) * hidden * width, len(vector))]
        """The parts of the vector, as `then` is given them."""

    def of(self, batch: Batch) -> Tensor:
        """Set `into`; gives (3,): reconstruction error, penalty and decay, whose sum is the loss."""
        n = len(batch.targets)
        rows = spans(n, self._row_spans[0][1])
        self._forward_all(batch, rows)
        mean = self._sums[: len(rows)].sum(dim=0).div_(n)
        slope = penalty_slope(mean, self.how).div_(n)
        self.crew.each(lambda i: self._backward(batch, slope, *rows[i]), len(rows))
        found = mean.new_empty(3)
        self.crew.each(lambda i: self._sum_up(batch, mean, found, i), len(self.parts) + 1)
        torch.sum(self._squares, dim=(0, 1), out=found[2]).mul_(self.how.decay / 2)
        return found

    def losses(self, rows: Tensor) -> Tensor:
        """(3,) float64: the same losses on any number of rows, without noise and without a gradient."""
        sums = rows.new_zeros(self._hidden.shape[1], dtype=torch.float64)
        error = rows.new_zeros((), dtype=torch.float64)
        for part in rows.split(len(self._hidden)):
            pieces = spans(len(part), self._row_spans[0][1])
            self._forward_all(Batch(part, part, None, lambda start, stop: None), pieces)
            sums += self._sums[: len(pieces)].sum(dim=0)
            error += self._errors[: len(pieces)].sum()
        squares = self.parameters.matrices.square().sum()
        found = [error / (2 * len(rows)), penalty(sums / len(rows), self.how), self.how.decay / 2 * squares]
        return torch.stack([value.double() for value in found])

    def _forward_all(self, batch: Batch, rows: list[Span]) -> None:
        self.crew.each(lambda i: self._forward(batch, i, *rows[i]), len(rows))

    def _forward(self, batch: Batch, piece: int, start: int, stop: int) -> None:
        batch.fill(start, stop)
        p, some = self.parameters, slice(start, stop)
        hidden, residual = self._hidden[some], self._residual[some]
        torch.addmm(p.bias, batch.seen[some], p.encoder.T, out=hidden)
        activate(hidden, self.how.activation)
        torch.sum(hidden, dim=0, out=self._sums[piece])
        if batch.kept is not None:
            hidden = torch.mul(hidden, batch.kept[some], out=self._used[some])
        torch.sub(p.output, batch.targets[some], out=residual).addmm_(hidden, p.decoder)
        flat = residual.view(-1)
        torch.dot(flat, flat, out=self._errors[piece])

    def _backward(self, batch: Batch, slope: Tensor, start: int, stop: int) -> None:
        some = slice(start, stop)
        back, decoder, share = self._back[some], self.parameters.decoder.T, 1 / len(batch.targets)
        if batch.kept is None:
            torch.addmm(slope, self._residual[some], decoder, alpha=share, out=back)
        else:
            torch.mm(self._residual[some], decoder, out=back)
            torch.add(slope, back.mul_(batch.kept[some]), alpha=share, out=back)
        through_activation(back, self._hidden[some], self.how.activation)

    def _sum_up(self, batch: Batch, mean: Tensor, found: Tensor, piece: int) -> None:
        """One part of the gradient, a sum over all rows, and what is done with it; or the losses."""
        n = len(batch.targets)
        if piece == len(self.parts):
            rows = len(spans(n, self._row_spans[0][1]))
            torch.sum(self._errors[:rows], dim=0, out=found[0]).div_(2 * n)
            found[1] = penalty(mean, self.how)
            return
        matrix, units = divmod(piece, len(self._unit_spans))
        if matrix == len(self._matrices):
            torch.sum(self._back[:n], dim=0, out=self.into.bias)
            torch.sum(self._residual[:n], dim=0, out=self.into.output).div_(n)
        else:
            self._sum_up_weights(batch, matrix, units)
        self.then(*self.parts[piece])

    def _sum_up_weights(self, batch: Batch, matrix: int, units: int) -> None:
        n, some = len(batch.targets), slice(*self._unit_spans[units])
        weights, into = self.parameters.matrices[matrix, some], self.into.matrices[matrix, some]
        flat = weights.reshape(-1)
        torch.dot(flat, flat, out=self._squares[matrix, units])
        beta = self.how.decay
        if matrix == 0:
            torch.addmm(weights, self._back[:n, some].T, batch.seen, beta=beta, out=into)
        if matrix == len(self._matrices) - 1:
            used = self._hidden if batch.kept is None else self._used
            before, beta = (into, 1.0) if matrix == 0 else (weights, beta)
            torch.addmm(before, used[:n, some].T, self._residual[:n], beta=beta, alpha=1 / n, out=into)


def spans(count: int, size: int) -> list[Span]:
    """(start, stop) of pieces of `size`, the last one shorter."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]
