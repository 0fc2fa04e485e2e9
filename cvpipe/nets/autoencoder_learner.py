"""An autoencoder on its way: parameters, their gradient, an optimiser, and the rows; an epoch at a time."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets import checkpoint
from cvpipe.nets.autoencoder import Objective, Parameters, compiles
from cvpipe.nets.autoencoder_gradient import Gradient, Slopes
from cvpipe.nets.autoencoder_rows import Noise, Rows
from cvpipe.nets.autoencoder_steps import Adam, Lbfgs

HOPELESS = 1e6
"""A loss so many times the one of an autoencoder that gives zeros will not come back."""
FEWEST = 1024
"""Rows that there is memory for at least: held-out rows are watched so many at a time."""


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


class Learner(AbstractContextManager["Learner"]):
    """What is trained, within `with`; `epoch` and `watched` give losses, `arrays` what the next epoch depends on."""

    def __init__(
        self, rows: np.ndarray, held: np.ndarray, how: Objective, plan: Plan, seed: int, device: str,
        threads: int,
    ) -> None:  # fmt: skip
        draws = torch.Generator(device).manual_seed(seed)
        self.parameters = _first(rows.shape[1], plan, how, draws, device)
        everything = plan.optimiser == "lbfgs"
        self.batch = len(rows) if everything else min(plan.batch, len(rows))
        noise = Noise(plan.dropout, plan.masked, plan.noise, plan.hidden)
        self.rows = Rows(torch.from_numpy(rows).to(device), self.batch, noise, draws)
        few = self.rows.rows[: 8 * FEWEST]
        self.held = torch.from_numpy(held).to(device) if len(held) else few
        lengths = torch.linalg.vector_norm(self.rows.rows, dim=1)
        self.hopeless = HOPELESS * (1 + float(lengths.double().square().mean()))
        self.gradient = _gradient(self.parameters, how, max(self.batch, FEWEST), threads)
        vector, slope = self.parameters.vector, self.gradient.into.vector
        self.optimiser: Adam | Lbfgs
        if everything:
            self.optimiser = Lbfgs(vector, slope, plan.learning_rate)
        else:
            self.optimiser = Adam(vector, slope, plan.learning_rate)

    def __enter__(self) -> Learner:
        self.gradient.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.gradient.__exit__(*error)

    def epoch(self) -> np.ndarray:
        """One pass over the rows; (3,) mean losses."""
        step = self.optimiser
        return _numbers(self._all_rows(step) if isinstance(step, Lbfgs) else self._mini_batches(step))

    def _mini_batches(self, optimiser: Adam) -> Tensor | np.ndarray:
        batches = ((len(order), self.rows.batch(order)) for order in self.rows.shuffled())
        found = [n * self.gradient.of(batch, optimiser) for n, batch in batches]
        return sum(found[1:], found[0]) / len(self.rows.rows)

    def _all_rows(self, optimiser: Lbfgs) -> Tensor | np.ndarray:
        """One iteration of L-BFGS, which tries a few steps. Noise is the same in all of them, or no step would do."""
        state, order = self.rows.draws.get_state(), torch.arange(len(self.rows.rows), device=self.held.device)
        found = []

        def loss() -> float:
            self.rows.draws.set_state(state)
            found.append(self.gradient.of(self.rows.batch(order)))
            return float(found[-1].sum())

        optimiser.step(loss)
        return found[-1]

    def watched(self) -> np.ndarray:
        """(3,) losses on held-out rows, nothing switched off."""
        return _numbers(self.gradient.losses(self.held))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the next epoch depends on."""
        tensors = {"parameters": self.parameters.vector, "draws": self.rows.draws.get_state()}
        return checkpoint.arrays_of(tensors) | checkpoint.with_prefix("optimiser", self.optimiser.arrays())

    def put(self, arrays: dict[str, np.ndarray]) -> None:
        """Go on from `arrays`."""
        checkpoint.put({"parameters": self.parameters.vector}, arrays)
        self.rows.draws.set_state(torch.from_numpy(np.array(arrays["draws"])))
        self.optimiser.put(checkpoint.below("optimiser", arrays))


def _numbers(losses: Tensor | np.ndarray) -> np.ndarray:
    return losses if isinstance(losses, np.ndarray) else losses.double().cpu().numpy()


def _gradient(parameters: Parameters, how: Objective, most: int, threads: int) -> Slopes:
    if not compiles(parameters.vector):
        return Gradient(parameters, how, most)
    from cvpipe.nets.autoencoder_pieces import Pieces

    return Pieces(parameters, how, most, threads)


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
