"""The gradient of an autoencoder's loss on the processor, cut into pieces for threads, each piece a few compiled calls.

The five products of matrices take nearly all of the time: what lies between them runs while its numbers are in cache,
nothing is allocated, and views are made once for all batches of a length, as one of them takes as long as 100,000
multiplications. Rows are cut for what is done to each of them, hidden units for sums over rows. Pieces are the same
however many threads there are, so the gradient is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets import _autoencoder_kernel as kernel
from cvpipe.nets._blas import SGEMM
from cvpipe.nets.autoencoder import EDGE, Objective, Parameters
from cvpipe.nets.autoencoder_gradient import Batch, Span, nothing
from cvpipe.threads import Crew

ROWS = 128
"""Rows in a piece: 128 of 400 units fill half of a core's level-2 cache of 512 kB."""
UNITS = 200
"""Hidden units in a piece."""
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
        self.errors, self.squares = np.empty(pieces), np.empty(len(self.parts))
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
        calls = [self._calls(piece, slice(*span)) for piece, span in enumerate(self._spans)]
        self._units, self._residuals, self._slopes = zip(*calls, strict=True)
        self._sums = [*self._sums_of_weights(), self._sums_of_biases()]

    def forward(self, piece: int) -> None:
        """Rows as the encoder sees them, and hidden units."""
        self._fill(*self._spans[piece])
        self._units[piece]()

    def backward(self, piece: int) -> None:
        """From hidden units to the slope by their responses."""
        self.errors[piece] = self._residuals[piece]()
        self._slopes[piece]()

    def watch(self, piece: int) -> None:
        """What the losses need."""
        self._units[piece]()
        self.errors[piece] = self._residuals[piece]()

    def sum_up(self, part: int) -> None:
        """One part of the gradient, a sum over all rows, and what is done with it."""
        self._of.squares[part] = self._sums[part]()
        self._of.then(*self._of.parts[part])

    def _calls(self, piece: int, some: slice) -> tuple[partial[None], partial[float], partial[None]]:
        of, p = self._of, self._of.weights
        sigmoid, share = of.how.activation == "sigmoid", np.float32(1 / self.n)
        hidden, residual, back, kept = of.hidden[some], of.residual[some], of.back[some], self._kept[some]
        return (
            partial(kernel.units, SGEMM, self._seen[some], p.encoder, p.bias, sigmoid, kept, hidden,
                    of.used[some], of.sums[piece]),
            partial(kernel.residuals, SGEMM, self._used[some], p.decoder, p.output, self._targets[some], residual,
                    of.residual_sums[piece]),
            partial(kernel.slopes, SGEMM, residual, p.decoder, hidden, sigmoid, kept, of.slope, share, back,
                    of.back_sums[piece]),
        )  # fmt: skip

    def _sums_of_weights(self) -> Iterator[partial[float]]:
        """For each part of the matrices; the encoder's is the decoder's as well if weights are tied."""
        of, n, decay = self._of, self.n, np.float32(self._of.how.decay)
        last = len(of.weights.matrices) - 1
        for matrix in range(last + 1):
            for some in (slice(*span) for span in of.unit_spans):
                yield partial(
                    kernel.sum_up, SGEMM, of.back[:n, some], self._seen, self._used[:n, some], of.residual[:n],
                    matrix == 0, matrix == last, of.weights.matrices[matrix, some], decay,
                    of.slopes.matrices[matrix, some],
                )  # fmt: skip

    def _sums_of_biases(self) -> partial[float]:
        of, share = self._of, np.float32(1 / self.n)
        sums = of.back_sums[: self.pieces], of.residual_sums[: self.pieces]
        return partial(kernel.sum_up_biases, *sums, share, of.slopes.bias, of.slopes.output)


class _Views:
    """Parameters as NumPy sees them."""

    def __init__(self, parameters: Parameters) -> None:
        self.matrices = parameters.matrices.numpy()
        self.encoder, self.decoder = self.matrices[0], self.matrices[-1]
        self.bias, self.output = parameters.bias.numpy(), parameters.output.numpy()


def spans(count: int, size: int) -> list[Span]:
    """(start, stop) of pieces of `size`, the last one shorter."""
    return [(start, min(start + size, count)) for start in range(0, count, size)]
