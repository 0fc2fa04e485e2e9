"""The gradient of an autoencoder's loss on the processor, cut into pieces for threads, each piece a few compiled calls.

The five products of matrices take nearly all of the time: what lies between them runs while its numbers are in cache,
nothing is allocated, and views are made once for all batches of a length, as one of them takes as long as 100,000
multiplications. Rows are cut for what is done to each of them, hidden units for sums over rows. Pieces are the same
however many threads there are, so the gradient is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets import _autoencoder_kernel as kernel
from cvpipe.nets.autoencoder import EDGE, Objective, Parameters
from cvpipe.nets.autoencoder_gradient import Batch, Span, nothing
from cvpipe.threads import Crew

ROWS = 128
"""Rows in a piece: 128 of 400 units fill half of a core's level-2 cache of 512 kB."""
UNITS = 200
"""Hidden units in a piece."""
Calls = list[Callable[[], Any]]
"""What is done one after the other."""
PENALTIES = {"none": 0, "l1": 1, "kl": 2}
"""As the kernel knows them."""


class Pieces:
    """The gradient of float32 batches of up to `most` rows, and the memory it is computed in; `Slopes`."""

    def __init__(self, parameters: Parameters, how: Objective, most: int, crew: Crew) -> None:
        self.how, self.crew, self.most = how, crew, most
        self.then: Callable[[int, int], None] = nothing
        self.into = parameters.like(torch.zeros_like(parameters.vector))
        self.weights, self.slopes = _Views(parameters), _Views(self.into)
        count, hidden, width = self.weights.matrices.shape
        self.unit_spans = spans(hidden, UNITS)
        firsts = [matrix * hidden for matrix in range(count)]
        matrices = [((m + a) * width, (m + b) * width) for m in firsts for a, b in self.unit_spans]
        self.parts: list[Span] = [*matrices, (count * hidden * width, len(parameters.vector))]
        self.hidden, self.used, self.back = (np.empty((most, hidden), np.float32) for _ in range(3))
        self.residual, self.slope = np.empty((most, width), np.float32), np.empty(hidden, np.float32)
        pieces = len(spans(most, ROWS))
        self.sums, self.back_sums = (np.empty((pieces, hidden), np.float32) for _ in range(2))
        self.residual_sums = np.empty((pieces, width), np.float32)
        self.errors, self.squares = np.empty(pieces), np.empty(len(matrices))
        self._work: dict[Batch, _Work] = {}

    def of(self, batch: Batch) -> np.ndarray:
        """As in `Slopes`."""
        if batch not in self._work:
            self._work[batch] = _Work(self, batch)
        work = self._work[batch]
        self.crew.each(work.forward, work.pieces)
        penalty = self._penalty(work.sums, work.n)
        self.crew.each(work.backward, work.pieces)
        self.crew.each(work.sum_up, len(self.parts))
        return self._found(work.errors.sum() / (2 * work.n), penalty, self.squares.sum())

    def losses(self, rows: Tensor) -> np.ndarray:
        """As in `Slopes`."""
        sums, error = np.zeros((1, len(self.slope))), 0.0
        for part in rows.split(self.most):
            work = _Work(self, Batch(part, part, None, nothing))
            self.crew.each(work.watch, work.pieces)
            sums += work.sums.sum(axis=0, dtype=np.float64)
            error += work.errors.sum()
        flat = self.weights.matrices.reshape(-1)
        return self._found(error / (2 * len(rows)), self._penalty(sums, len(rows)), float(flat @ flat))

    def _penalty(self, sums: np.ndarray, n: int) -> float:
        """The penalty; sets its slope."""
        how = self.how
        found: float = kernel.penalty_slope(
            sums, n, PENALTIES[how.penalty], how.rho, how.beta, EDGE, self.slope
        )
        return found

    def _found(self, error: float, penalty: float, squares: float) -> np.ndarray:
        return np.array([error, penalty, self.how.decay / 2 * squares])


class _Work:
    """What is to be done for a batch, piece by piece; `forward`, `backward` and `sum_up` one after the other."""

    def __init__(self, of: Pieces, batch: Batch) -> None:
        self.n, self._of, self._fill = len(batch.targets), of, batch.fill
        self._spans = spans(self.n, ROWS)
        self.pieces = len(self._spans)
        self.sums, self.errors = of.sums[: self.pieces], of.errors[: self.pieces]
        self._kept = np.empty((0, len(of.slope)), np.float32) if batch.kept is None else batch.kept.numpy()
        self._used = of.hidden if batch.kept is None else of.used
        self._targets, self._seen = batch.targets.numpy(), batch.seen.numpy()
        pieces = [slice(*span) for span in self._spans]
        self._forward, self._errors, self._backward = (
            [kind(piece, some) for piece, some in enumerate(pieces)]
            for kind in (self._units, self._residuals, self._slopes)
        )
        self._sums = [*self._sums_of_weights(), self._sums_of_biases()]

    def forward(self, piece: int) -> None:
        """Rows as the encoder sees them, and hidden units."""
        self._fill(*self._spans[piece])
        _run(self._forward[piece])

    def backward(self, piece: int) -> None:
        """From hidden units to the slope by their responses."""
        _run(self._errors[piece])
        _run(self._backward[piece])

    def watch(self, piece: int) -> None:
        """What the losses need."""
        _run(self._forward[piece])
        _run(self._errors[piece])

    def sum_up(self, part: int) -> None:
        """One part of the gradient, a sum over all rows, and what is done with it."""
        _run(self._sums[part])
        self._of.then(*self._of.parts[part])

    def _units(self, piece: int, some: slice) -> Calls:
        of, p = self._of, self._of.weights
        hidden, used = of.hidden[some], of.used[some]
        sigmoid = of.how.activation == "sigmoid"
        return [
            partial(np.matmul, self._seen[some], p.encoder.T, out=hidden),
            partial(kernel.units, hidden, p.bias, sigmoid, self._kept[some], used, of.sums[piece]),
        ]

    def _residuals(self, piece: int, some: slice) -> Calls:
        of, p, residual = self._of, self._of.weights, self._of.residual[some]
        sums, error = of.residual_sums[piece], self.errors[piece : piece + 1]
        return [
            partial(np.matmul, self._used[some], p.decoder, out=residual),
            partial(kernel.residuals, residual, p.output, self._targets[some], sums, error),
        ]

    def _slopes(self, piece: int, some: slice) -> Calls:
        of, back, share = self._of, self._of.back[some], np.float32(1 / self.n)
        sigmoid, sums = of.how.activation == "sigmoid", of.back_sums[piece]
        return [
            partial(np.matmul, of.residual[some], of.weights.decoder.T, out=back),
            partial(kernel.slopes, back, of.hidden[some], sigmoid, self._kept[some], of.slope, share, sums),
        ]

    def _sums_of_weights(self) -> Iterator[Calls]:
        """For each part of the matrices; the encoder's is the decoder's as well if weights are tied."""
        of, n, tied = self._of, self.n, len(self._of.weights.matrices) == 1
        share, decay = np.float32(1 / n), np.float32(of.how.decay)
        for part, (matrix, span) in enumerate(product(range(2 - tied), of.unit_spans)):
            some = slice(*span)
            into, weights = of.slopes.matrices[matrix, some], of.weights.matrices[matrix, some]
            more = np.empty_like(into) if tied else np.empty((0, into.shape[1]), np.float32)
            encoder = of.back[:n, some].T, self._seen
            decoder = self._used[:n, some].T, of.residual[:n]
            calls: Calls = [partial(np.matmul, *(decoder if matrix else encoder), out=into)]
            if tied:
                calls.append(partial(np.matmul, *decoder, out=more))
            factor, squares = share if matrix else np.float32(1), of.squares[part : part + 1]
            yield [*calls, partial(kernel.with_decay, into, factor, more, share, weights, decay, squares)]

    def _sums_of_biases(self) -> Calls:
        of, share = self._of, np.float32(1 / self.n)
        sums = of.back_sums[: self.pieces], of.residual_sums[: self.pieces]
        return [partial(kernel.sum_up_biases, *sums, share, of.slopes.bias, of.slopes.output)]


def _run(calls: Calls) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # the loss tells of it
        for call in calls:
            call()


class _Views:
    """Parameters as NumPy sees them."""

    def __init__(self, parameters: Parameters) -> None:
        self.matrices = parameters.matrices.numpy()
        self.encoder, self.decoder = self.matrices[0], self.matrices[-1]
        self.bias, self.output = parameters.bias.numpy(), parameters.output.numpy()


def spans(count: int, size: int) -> list[Span]:
    """(start, stop) of pieces of `size`, the last one shorter."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]
