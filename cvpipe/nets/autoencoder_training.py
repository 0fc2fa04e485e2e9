"""How an autoencoder is trained: mini-batches with Adam, or all rows with L-BFGS, until held-out rows say stop."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from cvpipe.nets.autoencoder import Objective, Parameters, gradient, hidden_units, losses, reconstruction

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants; Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1."""
LBFGS_MEMORY = 10
"""Pairs of steps and gradients that L-BFGS keeps."""
SOME = 8192
"""Rows whose loss is computed at a time."""
HOPELESS = 1e6
"""A loss so many times the one of an autoencoder that gives zeros will not come back."""


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
) -> Trained:
    """Train on (n, d) float32 rows, watch (m, d) held-out rows; without any of these, on training rows.

    `tell` is given each epoch, from 1 on, and its row of the history. Raises `Diverged`.
    """
    with _one_thread(), torch.no_grad():
        trainer = _Trainer(rows, held, how, plan, seed, device)
        history: list[np.ndarray] = []
        best, best_vector, waited = np.inf, trainer.parameters.vector.clone(), 0
        for epoch in range(1, plan.epochs + 1):
            seen = trainer.epoch()
            watched = trainer.watched()
            history.append(np.array([*seen[:2], *watched[:2]], np.float32))
            if not max(seen.sum(), watched.sum()) < trainer.hopeless:  # also if one is no number
                raise Diverged(epoch)
            tell(epoch, history[-1])
            waited += 1
            if watched.sum() < best:
                best, waited = watched.sum(), 0
                best_vector.copy_(trainer.parameters.vector)
            if waited >= plan.patience:
                break
        return _trained(trainer.parameters.like(best_vector), np.array(history, np.float32).reshape(-1, 4))


def _trained(parameters: Parameters, history: np.ndarray) -> Trained:
    found = (parameters.encoder, parameters.bias, parameters.decoder, parameters.output)
    encoder, bias, decoder, output = (np.ascontiguousarray(part.cpu().numpy()) for part in found)
    return Trained(encoder, bias, decoder, output, history)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """torch's own threads spin while they wait, and their number would change the last bits of sums."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Trainer:
    """The state of a training: parameters, their gradient, and the optimiser."""

    def __init__(
        self, rows: np.ndarray, held: np.ndarray, how: Objective, plan: Plan, seed: int, device: str
    ) -> None:
        self.rows = torch.from_numpy(rows).to(device)
        self.held = torch.from_numpy(held).to(device) if len(held) else self.rows[:SOME]
        self.how, self.plan = how, plan
        self.hopeless = HOPELESS * (1 + float(self.rows.square().sum(dim=1).mean()))
        self.draws = torch.Generator(device).manual_seed(seed)
        self.parameters = _first(rows.shape[1], plan, how, self.draws, device)
        self.slope = self.parameters.like(torch.zeros_like(self.parameters.vector))
        self.mean = torch.zeros_like(self.parameters.vector)
        self.square = torch.zeros_like(self.parameters.vector)
        self.steps = 0
        self.lbfgs = torch.optim.LBFGS(
            [torch.nn.Parameter(self.parameters.vector)],
            lr=plan.learning_rate,
            max_iter=1,
            history_size=LBFGS_MEMORY,
            line_search_fn="strong_wolfe",
        )

    def epoch(self) -> np.ndarray:
        """One pass over the rows; (3,) mean losses."""
        return self._all_rows() if self.plan.optimiser == "lbfgs" else self._mini_batches()

    def _mini_batches(self) -> np.ndarray:
        order = torch.randperm(len(self.rows), generator=self.draws, device=self.rows.device)
        total = torch.zeros(3, device=self.rows.device, dtype=torch.float64)
        for some in torch.split(order, self.plan.batch):
            total += self._gradient(self.rows[some]) * len(some)
            self._adam()
        return (total / len(self.rows)).cpu().numpy()

    def _all_rows(self) -> np.ndarray:
        """One iteration of L-BFGS, which tries a few steps. Noise is the same in all of them, or no step would do."""
        state = self.draws.get_state()
        found = []

        def loss() -> torch.Tensor:
            self.draws.set_state(state)
            found.append(self._gradient(self.rows))
            vector = self.lbfgs.param_groups[0]["params"][0]
            vector.grad = self.slope.vector
            return found[-1].sum()

        self.lbfgs.step(loss)
        return found[-1].double().cpu().numpy()

    def _gradient(self, rows: torch.Tensor) -> torch.Tensor:
        seen, kept = rows, None
        if self.plan.masked:
            seen = rows * self._coins(rows.shape, 1 - self.plan.masked)
        if self.plan.noise:
            seen = seen + self.plan.noise * torch.randn(rows.shape, generator=self.draws, device=rows.device)
        if self.plan.dropout:
            share = 1 - self.plan.dropout
            kept = self._coins((len(rows), self.plan.hidden), share) / share
        return gradient(self.parameters, self.slope, seen, rows, self.how, kept)

    def _coins(self, shape: tuple[int, ...], share: float) -> torch.Tensor:
        return torch.empty(shape, device=self.rows.device).bernoulli_(share, generator=self.draws)

    def _adam(self) -> None:
        self.steps += 1
        slope = self.slope.vector
        self.mean.lerp_(slope, 1 - BETA1)
        self.square.mul_(BETA2).addcmul_(slope, slope, value=1 - BETA2)
        root = (self.square / (1 - BETA2**self.steps)).sqrt_().add_(EPSILON)
        pace = self.plan.learning_rate / (1 - BETA1**self.steps)
        self.parameters.vector.addcdiv_(self.mean, root, value=-pace)

    def watched(self) -> np.ndarray:
        """(3,) losses on held-out rows, nothing switched off."""
        hidden = torch.cat(
            [hidden_units(self.parameters, part, self.how.activation) for part in self.held.split(SOME)]
        )
        residual = reconstruction(self.parameters, hidden).sub_(self.held)
        return losses(self.parameters, hidden, residual, self.how).double().cpu().numpy()


def _first(width: int, plan: Plan, how: Objective, draws: torch.Generator, device: str) -> Parameters:
    """Weights spread evenly in +-sqrt(6 / (d + hidden + 1)) (Ng 2011, exercise, step 1), biases 0; but with a wanted
    activation rho, hidden biases start where the activation is rho, which takes Adam ten epochs from 0."""
    vector = torch.zeros(Parameters.count(width, plan.hidden, plan.tied), device=device)
    parameters = Parameters(vector, width, plan.hidden, plan.tied)
    bound = (6 / (width + plan.hidden + 1)) ** 0.5
    parameters.encoder.uniform_(-bound, bound, generator=draws)
    if not plan.tied:
        parameters.decoder.uniform_(-bound, bound, generator=draws)
    if how.penalty == "kl":
        parameters.bias.fill_(math.log(how.rho / (1 - how.rho)))
    return parameters
