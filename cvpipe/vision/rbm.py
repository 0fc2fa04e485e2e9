"""Restricted Boltzmann machines with Gaussian visible and binary hidden units, by contrastive divergence.

    E(v, h) = |v - c|^2 / 2 - b.h - v W h:    p(h = 1 | v) = sigmoid(v W + b),    v | h ~ N(W h + c, 1)

Source: Hinton, "A practical guide to training restricted Boltzmann machines", UTML TR 2010-003, sections 2, 3, 9
and 13.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cvpipe.vision.filter_codes import sigmoid

SPREAD = 0.01
"""Standard deviation of the first weights; Hinton 2010, section 8.1."""
EARLY, LATE, EARLY_EPOCHS = 0.5, 0.9, 5
"""Momentum in the first epochs, and later; Hinton 2010, section 9.1."""


@dataclass
class Machine:
    """The parameters of d visible and K hidden units, or a step of them."""

    weights: np.ndarray
    """(d, K) float32."""
    hidden: np.ndarray
    """(K,) float32, the biases b."""
    visible: np.ndarray
    """(d,) float32, the biases c."""

    def parts(self) -> list[np.ndarray]:
        """All arrays."""
        return [self.weights, self.hidden, self.visible]


def statistics(
    machine: Machine, rows: np.ndarray, steps: int, rng: np.random.Generator
) -> tuple[Machine, np.ndarray, np.ndarray]:
    """Contrastive divergence of (n, d) rows after so many steps of Gibbs sampling: the direction to go.

    <v h> of the rows less <v h> of what the machine makes of them; with it the mean activations (K,) of the rows
    and what the machine made of them (n, d). Hidden units are drawn, the last time they are probabilities; visible
    units are means, which has less noise.
    """
    first = sigmoid(rows @ machine.weights + machine.hidden)
    chance = first
    for _ in range(steps):
        drawn = (rng.random(chance.shape, dtype=np.float32) < chance).astype(np.float32)
        made = drawn @ machine.weights.T + machine.visible
        chance = sigmoid(made @ machine.weights + machine.hidden)
    count = np.float32(len(rows))
    step = Machine(
        (rows.T @ first - made.T @ chance) / count,
        first.mean(axis=0) - chance.mean(axis=0),
        rows.mean(axis=0) - made.mean(axis=0),
    )
    return step, first.mean(axis=0), made


@dataclass(frozen=True)
class Plan:
    """How a machine is trained."""

    epochs: int
    batch: int
    """Rows of a step."""
    steps: int
    """Of Gibbs sampling."""
    learning_rate: float
    decay: float
    """Share of the weights that a step takes away, before the learning rate."""
    target: float
    """The mean activation to which biases of hidden units are pulled."""
    cost: float
    """The weight of that."""


def train(
    rows: np.ndarray,
    hidden: int,
    plan: Plan,
    rng: np.random.Generator,
    tell: Callable[[int, float], None] = lambda epoch, error: None,
) -> tuple[Machine, np.ndarray]:
    """A machine for (n, d) float32 rows, and (epochs,) float32 mean squared errors of what it makes of them.

    `tell` is given each epoch, from 1 on, and its error. Raises `FloatingPointError` when the error is no longer
    finite.
    """
    width = rows.shape[1]
    start = np.log(plan.target / (1 - plan.target))
    machine = Machine(
        (SPREAD * rng.standard_normal((width, hidden))).astype(np.float32),
        np.full(hidden, start, np.float32),
        np.zeros(width, np.float32),
    )
    speed = Machine(*map(np.zeros_like, machine.parts()))
    errors = []
    for epoch in range(1, plan.epochs + 1):
        with np.errstate(all="ignore"):  # what goes wrong is seen in the error
            errors.append(_epoch(machine, speed, rows, plan, EARLY if epoch <= EARLY_EPOCHS else LATE, rng))
        if not np.isfinite(errors[-1]):
            raise FloatingPointError(f"its error is not finite in epoch {epoch}")
        tell(epoch, errors[-1])
    return machine, np.array(errors, np.float32)


def _epoch(
    machine: Machine, speed: Machine, rows: np.ndarray, plan: Plan, momentum: float, rng: np.random.Generator
) -> float:
    """One pass over the rows, which changes the machine and its speed; the mean squared error during it."""
    order, total = rng.permutation(len(rows)), 0.0
    for at in range(0, len(rows), plan.batch):
        some = rows[order[at : at + plan.batch]]
        step, active, made = statistics(machine, some, plan.steps, rng)
        step.weights -= plan.decay * machine.weights
        step.hidden += plan.cost * (plan.target - active)
        total += float(np.square(some - made).sum(dtype=np.float64))
        for part, pace, change in zip(machine.parts(), speed.parts(), step.parts(), strict=True):
            pace *= np.float32(momentum)
            pace += plan.learning_rate * change
            part += pace
    return total / len(rows)
