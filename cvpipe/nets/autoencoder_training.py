"""How an autoencoder is trained: mini-batches with Adam, or all rows with L-BFGS, until held-out rows say stop.

A training is resumable after every epoch: it ends with the same numbers to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cvpipe import threads
from cvpipe.nets import checkpoint
from cvpipe.nets.autoencoder import Objective, Parameters
from cvpipe.nets.autoencoder_gradient import Gradient
from cvpipe.nets.autoencoder_rows import Noise, Rows
from cvpipe.nets.autoencoder_steps import Adam, Lbfgs
from cvpipe.nets.recipe import Ties
from cvpipe.nets.threads import one_thread

HOPELESS = 1e6
"""A loss so many times the one of an autoencoder that gives zeros will not come back."""
FEWEST = 1024
"""Rows that there is memory for at least: held-out rows are watched so many at a time."""
SAVE_EVERY_S = 5.0
"""Least time between two checkpoints, s: some five epochs of 50,000 rows and 400 units."""
SAVE_SHARE = 0.02
"""Largest share of the time that saving may take."""


@dataclass(frozen=True)
class Plan:
    """How to get there."""

    hidden: int
    tied: bool
    optimiser: Literal["adam", "lbfgs"]
    learning_rate: float
    batch: int
    epochs: int
    patience: int
    """Epochs without a smaller loss on held-out rows after which training ends."""
    dropout: float
    """Share of hidden units that is switched off for each row."""
    masked: float
    """Share of the numbers of each row that is set to 0 before the encoder sees it."""
    noise: float
    """Standard deviation of what is added to each number of a row before the encoder sees it."""


@dataclass(frozen=True)
class Trained:
    """The parameters with the smallest loss on held-out rows, and how training went."""

    encoder: np.ndarray
    """(d, hidden) float32."""
    bias: np.ndarray
    """(hidden,) float32."""
    decoder: np.ndarray
    """(hidden, d) float32."""
    output: np.ndarray
    """(d,) float32."""
    history: np.ndarray
    """(epochs, 4) float32: reconstruction error and penalty on training rows, then on held-out rows."""


class Diverged(ArithmeticError):
    """The loss has grown out of bounds, or is no number. `epoch` counts from 1."""

    def __init__(self, epoch: int) -> None:
        super().__init__(f"its loss has grown out of bounds in epoch {epoch}")
        self.epoch = epoch


def train(
    rows: np.ndarray,
    held: np.ndarray,
    how: Objective,
    plan: Plan,
    seed: int,
    device: str,
    tell: Callable[[int, np.ndarray], None] = lambda epoch, row: None,
    ties: Ties | None = None,
) -> Trained:
    """Train on (n, d) float32 rows, watch (m, d) held-out rows; without any of these, on training rows.

    In the threads that are allowed, with the same result for any number. `tell` is given each epoch, from 1 on, and its
    row of the history; `ties` keep what is half trained. Raises `Diverged`.
    """
    count = threads.allowed() if device == "cpu" else 1
    with one_thread(), torch.no_grad(), threads.Crew(count, lambda: torch.set_num_threads(1)) as crew:
        learner = _Learner(rows, held, how, plan, seed, device, crew)
        course = _Course(learner.parameters.vector.clone())
        _resume(learner, course, ties or Ties())
        pace = checkpoint.Pace()
        while len(course.history) < plan.epochs and course.waited < plan.patience:
            _epoch(learner, course, tell)
            if pace.due(SAVE_EVERY_S, SAVE_SHARE):
                with pace.saving():
                    (ties or Ties()).save(learner.arrays() | course.arrays(), course.note())
        return _trained(learner.parameters.like(course.vector), course.history)


def _epoch(learner: _Learner, course: _Course, tell: Callable[[int, np.ndarray], None]) -> None:
    seen, watched = learner.epoch(), learner.watched()
    course.history.append([float(value) for value in np.array([*seen[:2], *watched[:2]], np.float32)])
    epoch = len(course.history)
    if not max(seen.sum(), watched.sum()) < learner.hopeless:  # also if one is no number
        raise Diverged(epoch)
    tell(epoch, np.array(course.history[-1], np.float32))
    course.judge(float(watched.sum()), learner.parameters.vector)


def _resume(learner: _Learner, course: _Course, ties: Ties) -> None:
    """Go on from what the same training kept, if it did."""
    found = ties.load()
    if found is not None:
        arrays, note = found
        learner.put(arrays)
        course.put(arrays, note)
        ties.note(f"going on after epoch {len(course.history)}")


def _trained(parameters: Parameters, history: list[list[float]]) -> Trained:
    found = (parameters.encoder.T, parameters.bias, parameters.decoder, parameters.output)
    encoder, bias, decoder, output = (np.ascontiguousarray(part.cpu().numpy()) for part in found)
    return Trained(encoder, bias, decoder, output, np.array(history, np.float32).reshape(-1, 4))


@dataclass
class _Course:
    """How training has gone so far, and the best parameters."""

    vector: Tensor
    best: float = math.inf
    waited: int = 0
    history: list[list[float]] = field(default_factory=list)

    def judge(self, loss: float, vector: Tensor) -> None:
        """After an epoch: are these parameters the best?"""
        self.waited += 1
        if loss < self.best:
            self.best, self.waited = loss, 0
            self.vector.copy_(vector)

    def arrays(self) -> dict[str, np.ndarray]:
        return checkpoint.arrays_of({"best": self.vector})

    def note(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited, "history": self.history}

    def put(self, arrays: dict[str, np.ndarray], note: dict[str, Any]) -> None:
        checkpoint.put({"best": self.vector}, arrays)
        self.best, self.waited, self.history = note["best"], note["waited"], note["history"]


class _Learner:
    """Parameters, their gradient, an optimiser, and the rows."""

    def __init__(
        self, rows: np.ndarray, held: np.ndarray, how: Objective, plan: Plan, seed: int, device: str,
        crew: threads.Crew,
    ) -> None:  # fmt: skip
        draws = torch.Generator(device).manual_seed(seed)
        self.parameters = _first(rows.shape[1], plan, how, draws, device)
        everything = plan.optimiser == "lbfgs"
        self.batch = len(rows) if everything else min(plan.batch, len(rows))
        noise = Noise(plan.dropout, plan.masked, plan.noise, plan.hidden)
        self.rows = Rows(torch.from_numpy(rows).to(device), self.batch, noise, draws)
        few = self.rows.rows[: 8 * FEWEST]
        self.held = torch.from_numpy(held).to(device) if len(held) else few
        self.hopeless = HOPELESS * (1 + float(self.rows.rows.square().sum(dim=1).mean()))
        self.gradient = Gradient(self.parameters, how, max(self.batch, FEWEST), crew)
        vector, slope = self.parameters.vector, self.gradient.into.vector
        self.optimiser: Adam | Lbfgs
        if everything:
            self.optimiser = Lbfgs(vector, slope, plan.learning_rate)
        else:
            self.optimiser = Adam(vector, slope, self.gradient.parts, plan.learning_rate)
            self.gradient.then = self.optimiser.step

    def epoch(self) -> np.ndarray:
        """One pass over the rows; (3,) mean losses."""
        found = self._all_rows(self.optimiser) if isinstance(self.optimiser, Lbfgs) else self._mini_batches()
        return found.double().cpu().numpy()

    def _mini_batches(self) -> Tensor:
        total = torch.zeros(3, device=self.held.device, dtype=torch.float64)
        for order in self.rows.shuffled():
            total += self.gradient.of(self.rows.batch(order)) * len(order)
        return total / len(self.rows.rows)

    def _all_rows(self, optimiser: Lbfgs) -> Tensor:
        """One iteration of L-BFGS, which tries a few steps. Noise is the same in all of them, or no step would do."""
        state, order = self.rows.draws.get_state(), torch.arange(len(self.rows.rows), device=self.held.device)
        found = []

        def loss() -> Tensor:
            self.rows.draws.set_state(state)
            found.append(self.gradient.of(self.rows.batch(order)))
            return found[-1].sum()

        optimiser.step(loss)
        return found[-1]

    def watched(self) -> np.ndarray:
        """(3,) losses on held-out rows, nothing switched off."""
        return self.gradient.losses(self.held).cpu().numpy()

    def arrays(self) -> dict[str, np.ndarray]:
        """What the next epoch depends on."""
        tensors = {"parameters": self.parameters.vector, "draws": self.rows.draws.get_state()}
        return checkpoint.arrays_of(tensors) | checkpoint.with_prefix("optimiser", self.optimiser.arrays())

    def put(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from `arrays`."""
        checkpoint.put({"parameters": self.parameters.vector}, arrays)
        self.rows.draws.set_state(torch.from_numpy(np.array(arrays["draws"])))
        self.optimiser.put(checkpoint.below("optimiser", arrays))


def _first(width: int, plan: Plan, how: Objective, draws: torch.Generator, device: str) -> Parameters:
    """Weights spread evenly in +-sqrt(6 / (d + hidden + 1)) (Ng 2011, exercise, step 1), biases 0; but with a wanted
    activation rho, hidden biases start where the activation is rho, which takes Adam ten epochs from 0."""
    vector = torch.zeros(Parameters.count(width, plan.hidden, plan.tied), device=device)
    parameters = Parameters(vector, width, plan.hidden, plan.tied)
    bound = (6 / (width + plan.hidden + 1)) ** 0.5
    drawn = torch.empty(width, plan.hidden, device=device).uniform_(-bound, bound, generator=draws)
    parameters.encoder.copy_(drawn.T)
    if not plan.tied:
        parameters.decoder.uniform_(-bound, bound, generator=draws)
    if how.penalty == "kl":
        parameters.bias.fill_(math.log(how.rho / (1 - how.rho)))
    return parameters
