"""How an autoencoder is trained: mini-batches with Adam, or all rows with L-BFGS, until held-out rows say stop.

A training is resumable after every epoch: it ends with the same numbers to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvpipe import threads
from cvpipe.nets import checkpoint
from cvpipe.nets.autoencoder import Objective, Parameters
from cvpipe.nets.autoencoder_learner import Learner, Plan
from cvpipe.nets.recipe import Ties
from cvpipe.nets.threads import one_thread

SAVE_EVERY_S = 5.0
"""Least time between two checkpoints, s: some five epochs of 50,000 rows and 400 units."""
SAVE_SHARE = 0.02
"""Largest share of the time that saving may take."""


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
    with (
        one_thread(), torch.no_grad(), Learner(rows, held, how, plan, seed, device, count) as learner,
        threads.allow(count),
    ):  # fmt: skip
        course = _Course(learner.parameters.vector.clone())
        _resume(learner, course, ties or Ties())
        pace = checkpoint.Pace()
        while len(course.history) < plan.epochs and course.waited < plan.patience:
            _epoch(learner, course, tell)
            if pace.due(SAVE_EVERY_S, SAVE_SHARE):
                with pace.saving():
                    (ties or Ties()).save(learner.arrays() | course.arrays(), course.note())
        return _trained(learner.parameters.like(course.vector), course.history)


def _epoch(learner: Learner, course: _Course, tell: Callable[[int, np.ndarray], None]) -> None:
    seen, watched = learner.epoch(), learner.watched()
    course.history.append([float(value) for value in np.array([*seen[:2], *watched[:2]], np.float32)])
    epoch = len(course.history)
    if not max(seen.sum(), watched.sum()) < learner.hopeless:  # also if one is no number
        raise Diverged(epoch)
    tell(epoch, np.array(course.history[-1], np.float32))
    course.judge(float(watched.sum()), learner.parameters.vector)


def _resume(learner: Learner, course: _Course, ties: Ties) -> None:
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
