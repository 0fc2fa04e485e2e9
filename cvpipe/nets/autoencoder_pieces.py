"""The gradient of an autoencoder's loss on the processor, cut into pieces for threads, in one compiled call a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets._autoencoder_kernel import penalty_slope
from cvpipe.nets._autoencoder_step import work_on
from cvpipe.nets._autoencoder_work import (
    GRADIENT,
    LOSSES,
    STEP,
    TASK_STEP,
    Found,
    Given,
    Matrices,
    Scratch,
    Terms,
    Work,
)
from cvpipe.nets.autoencoder import EDGE, Objective, Parameters
from cvpipe.nets.autoencoder_gradient import Batch, Source
from cvpipe.nets.autoencoder_steps import Adam
from cvpipe.vision.blas import SGEMM
from cvpipe.vision.team import Team

ROWS = 128
"""Rows in a piece at most: 128 of 400 units fill half of a core's level-2 cache of 512 kB."""
FEWEST_ROWS = 16
"""What the number of rows in a piece is a multiple of."""
UNITS = 200
"""Hidden units in a piece."""
PENALTIES = {"none": 0, "l1": 1, "kl": 2}
"""As the kernel knows them."""


class Pieces:
    """The gradient of float32 batches of up to `most` rows, and the memory it is computed in; `Slopes`. Use it within
    `with`: threads are at work there."""

    def __init__(self, parameters: Parameters, how: Objective, most: int, threads: int) -> None:
        self.how, self.most = how, most
        self.into = parameters.like(torch.zeros_like(parameters.vector))
        self.team: Team[Work] = Team(threads, work_on)
        self._task = np.zeros(5, np.int64)
        self._weights, self._slopes = _views(parameters), _views(self.into)
        self._scratch = _scratch(parameters, most, threads)
        pieces = len(self._scratch.sums)
        parts = -(-len(self._weights.encoder) // UNITS) * len(parameters.matrices)
        self._found = Found(np.zeros(3), np.zeros(pieces), np.zeros(parts))
        self._order = np.empty(most, np.int64)
        self._works: dict[tuple[Source, Adam | None], Work] = {}

    def of(self, batch: Batch, then: Adam | None = None) -> np.ndarray:
        """As in `Slopes`."""
        what = batch.source, then
        if what not in self._works:
            self._works[what] = self._work(*what)
        if then:
            then.taken += 1
            self._task[TASK_STEP] = int(then.taken)
        return self._run(self._works[what], batch.order, STEP if then else GRADIENT)

    def losses(self, rows: Tensor) -> np.ndarray:
        """As in `Slopes`."""
        work = self._work(Source(rows, None, None, None), None)
        found, sums = np.zeros(3), np.zeros((1, len(self._slopes.bias)))
        for some in torch.arange(len(rows)).split(self.most):
            found += len(some) / len(rows) * self._run(work, some, LOSSES)
            sums += self._scratch.sums[: -(-len(some) // piece_of(len(some)))].sum(axis=0, dtype=np.float64)
        how, slope = self.how, np.empty(sums.shape[1], np.float32)
        found[1] = penalty_slope(sums, len(rows), PENALTIES[how.penalty], how.rho, how.beta, EDGE, slope)
        weights = self._weights.vector[: -(len(self._weights.bias) + len(self._weights.output))]
        found[2] = how.decay / 2 * float(weights @ weights)
        return found

    def __enter__(self) -> Pieces:
        self.team.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.team.__exit__(*error)

    def _run(self, work: Work, order: Tensor, goal: int) -> np.ndarray:
        """One call; what it found."""
        n = len(order)
        self._order[:n] = order.numpy()
        self._task[:TASK_STEP] = n, piece_of(n), UNITS, goal
        self.team.step(work)
        return self._found.losses.copy()

    def _work(self, source: Source, then: Adam | None) -> Work:
        noisy = source.coins is not None or source.added is not None
        own = self._scratch
        own = own if noisy else own._replace(seen=own.targets)
        own = own if source.kept is not None else own._replace(used=own.hidden)
        width, hidden = own.targets.shape[1], own.hidden.shape[1]
        given = Given(
            source.rows.numpy(), self._order, _array(source.coins, width), _array(source.added, width),
            _array(source.kept, hidden),
        )  # fmt: skip
        adam = then or Adam(torch.empty(0), torch.empty(0), 0.0)
        how = self.how
        terms = Terms(
            how.activation == "sigmoid", PENALTIES[how.penalty], how.rho, how.beta, EDGE, how.decay,
            self._weights.encoder is self._weights.decoder, adam.constants,
        )  # fmt: skip
        return Work(
            self._task, SGEMM, self._weights, self._slopes, adam.mean.numpy(), adam.square.numpy(), given, own,
            self._found, terms,
        )  # fmt: skip


def piece_of(n: int) -> int:
    """Rows in a piece of a batch of n: half of a small one, so that two threads have work."""
    return min(ROWS, -(-n // (2 * FEWEST_ROWS)) * FEWEST_ROWS)


def _views(parameters: Parameters) -> Matrices:
    """Parameters as NumPy sees them."""
    encoder = parameters.encoder.numpy()
    decoder = encoder if parameters.tied else parameters.decoder.numpy()
    return Matrices(
        parameters.vector.numpy(), encoder, decoder, parameters.bias.numpy(), parameters.output.numpy()
    )


def _scratch(parameters: Parameters, most: int, threads: int) -> Scratch:
    hidden, width = parameters.encoder.shape
    pieces = max(2, -(-most // ROWS))

    def empty(*shape: int) -> np.ndarray:
        return np.empty(shape, np.float32)

    return Scratch(
        targets=empty(most, width),
        seen=empty(most, width),
        hidden=empty(most, hidden),
        used=empty(most, hidden),
        residual=empty(most, width),
        back=empty(most, hidden),
        sums=empty(pieces, hidden),
        back_sums=empty(pieces, hidden),
        residual_sums=empty(pieces, width),
        penalty_slopes=empty(threads, hidden),
    )


def _array(numbers: Tensor | None, width: int) -> Any:
    return np.empty((0, width), np.float32) if numbers is None else numbers.numpy()
