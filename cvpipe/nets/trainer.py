"""The training loop, resumable at any step.

Every draw has an address (epoch, step, part), so an interrupted training that goes on from a checkpoint ends with the
same weights as one that was never interrupted, and so does one with another number of threads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cvpipe.errors import RunError
from cvpipe.nets import checkpoint
from cvpipe.nets.examples import Examples, judged
from cvpipe.nets.history import History, in_words
from cvpipe.nets.learning import Learning, Look, Seeds
from cvpipe.nets.moving_weights import MovingWeights, norm
from cvpipe.nets.recipe import Recipe, Ties

SAVE_EVERY_S = 30.0
"""Least time between two checkpoints, s."""
SAVE_SHARE = 0.05
"""Largest share of the time that saving may take."""


@dataclass
class Training:
    """A network in training. `run` trains it in place."""

    module: nn.Module
    examples: Examples
    recipe: Recipe
    seeds: Seeds
    look: Look
    validation: Examples | None = None
    ties: Ties = field(default_factory=Ties)
    device: str = "cpu"
    threads: int = 1
    prepare: Callable[[nn.Module], Any] = nn.Module.train
    """Puts the network into training mode; what is frozen may stay as it is."""
    phase: str = ""
    """Tells the checkpoints of several trainings of one network apart."""
    earlier: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """The epochs of the phases before, kept in checkpoints too."""

    def __post_init__(self) -> None:
        self.module.to(self.device)
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.weights = MovingWeights(self.module, self.recipe)
        self.plan = self.recipe.plan(len(self.examples.pixels))
        self.history = History()
        self._best: dict[str, np.ndarray] = {}
        self._pace = checkpoint.Pace()

    def run(self) -> History:
        """Train. Raises `RunError` if the loss is no number any more."""
        self._resume()
        learning = Learning(
            self.module, self.recipe, self.seeds, self.look, self.device, self.threads, self.ties.note
        )
        with learning as self._learning:
            while self.history.epoch < self.recipe.epochs and not self._is_over():
                self._epoch()
        self.weights.use_average()
        if self._best:
            checkpoint.put(self.module.state_dict(), self._best)
        self.module.eval()
        return self.history

    def rate(self) -> float:
        """The learning rate of the next step."""
        batch, steps = self.plan[self.history.epoch]
        now = self.history.epoch + self.history.in_epoch / steps
        first = self.recipe.first_batch(len(self.examples.pixels))
        grown = batch / first if self.recipe.grow_batch else 1.0
        return self.recipe.rate * self.recipe.schedule.factor(now, self.recipe.epochs) * grown

    def _epoch(self) -> None:
        batch, steps = self.plan[self.history.epoch]
        draw = np.random.default_rng(self.seeds("order", self.history.epoch))
        rows = draw.permutation(len(self.examples.pixels))
        order = [rows[i * batch : (i + 1) * batch] for i in range(self.history.in_epoch, steps)]
        self.prepare(self.module)
        ratio = 0.0
        for chosen, pixels in zip(order, self.examples.pixels.batches(order), strict=True):
            last = self.history.in_epoch == steps - 1
            before = self.weights.flat() if last else None
            self._step(pixels, chosen)
            ratio = 0.0 if before is None else _moved(before, self.weights.flat())
            if not last:
                self._save_now_and_then()
        self._close(ratio)

    def _step(self, pixels: Tensor, rows: np.ndarray) -> None:
        rate = self.rate()
        gradients, answer = self._learning.gradients(
            self.history.step, pixels, self.examples.targets_of(rows, self.device)
        )
        length = norm(gradients)
        if not math.isfinite(answer.loss) or not math.isfinite(length):
            raise RunError(self._explained(answer.loss, rate))
        self.weights.step(gradients, rate, self.history.step)
        self.history.add(answer, len(rows))

    def _explained(self, loss: float, rate: float) -> str:
        what = "the gradient" if math.isfinite(loss) else "the loss"
        clip = "" if self.recipe.clip else ", or set clip: 1, or warm_up: 1"
        return (
            f"{what} is no number at step {self.history.in_epoch + 1} of epoch {self.history.epoch + 1}, where the "
            f"learning rate is {rate:.3g}: lower learning_rate to {self.recipe.rate / 10:.2g}{clip}"
        )

    def _close(self, ratio: float) -> None:
        """What is done at the end of an epoch."""
        self.history.in_epoch -= 1  # the rate of the last step
        numbers = {"rate": self.rate(), "update_ratio": ratio}
        self.history.in_epoch += 1
        if self.validation is not None:
            before = self.weights.use_average()
            self.module.eval()
            answer = judged(self._learning, self.validation, self.device)
            numbers["validation_loss"] = answer.loss
            if self.history.scored:
                numbers["validation_accuracy"] = answer.correct
            if self.history.judge(answer.loss) and self.recipe.patience:
                self._best = checkpoint.arrays_of(self.module.state_dict())
            self.weights.put_back(before)
        numbers = self.history.close(numbers)
        self.ties.note(in_words(self.history.epoch, self.recipe.epochs, numbers))
        self.ties.scalars(self.history.epoch, numbers)
        self._save_now_and_then()

    def _is_over(self) -> bool:
        over = bool(self.recipe.patience) and self.history.since_best >= self.recipe.patience
        if over:
            self.ties.note(f"no better for {self.recipe.patience} epochs: stopped, the best epoch is kept")
        return over

    def _save_now_and_then(self) -> None:
        if not self._pace.due(SAVE_EVERY_S, SAVE_SHARE):
            return
        best = checkpoint.with_prefix("best", self._best)
        note = {"phase": self.phase, "history": self.history.plain(), "earlier": dict(self.earlier)}
        with self._pace.saving():
            self.ties.save(self.weights.arrays() | best, note)

    def _resume(self) -> None:
        """Go on from a checkpoint, if there is one of this training."""
        found = self.ties.load()
        if found is None:
            return
        arrays, note = found
        if note.get("phase") != self.phase or not self.weights.fits(arrays):
            return
        self.weights.put(arrays)
        self._best = checkpoint.below("best", arrays)
        self.history = History.from_plain(note["history"])
        self.ties.note(f"going on after epoch {self.history.epoch}, step {self.history.in_epoch}")


def _moved(before: Tensor, after: Tensor) -> float:
    """The length of an update divided by that of the weights; about 1e-3 is healthy."""
    return float((after - before).norm() / before.norm().clamp(min=1e-12))
