"""What a training has seen so far: the numbers of each epoch, and the sums of the present one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from cvpipe.nets.learning import Answer


@dataclass
class History:
    """Plain numbers only, so that it can be written as JSON."""

    epoch: int = 0
    """Epochs that are over."""
    in_epoch: int = 0
    """Steps of the present epoch that are over."""
    step: int = 0
    """Steps in all."""
    loss: float = 0.0
    correct: float = 0.0
    images: float = 0.0
    """Sums over the present epoch."""
    scored: bool = True
    """Whether the network gives scores of classes, so that there is an accuracy."""
    lowest: float = 1e300
    """The best validation loss."""
    since_best: int = 0
    """Epochs since then."""
    epochs: dict[str, list[float]] = field(default_factory=dict)
    """By name, a number for each epoch: loss, accuracy, validation_loss, validation_accuracy, rate, update_ratio."""

    def add(self, answer: Answer, images: int) -> None:
        """One more step."""
        self.step += 1
        self.in_epoch += 1
        self.loss += answer.loss * images
        self.scored = not math.isnan(answer.correct)
        self.correct += answer.correct if self.scored else 0.0
        self.images += images

    def close(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """End the epoch; gives its numbers."""
        accuracy = {"accuracy": self.correct / self.images} if self.scored else {}
        closed = {"loss": self.loss / self.images, **accuracy, **numbers}
        for name, value in closed.items():
            self.epochs.setdefault(name, []).append(float(value))
        self.epoch += 1
        self.in_epoch = 0
        self.loss = self.correct = self.images = 0.0
        return closed

    def judge(self, validation_loss: float) -> bool:
        """Whether this epoch was the best so far."""
        better = validation_loss < self.lowest and math.isfinite(validation_loss)
        self.since_best = 0 if better else self.since_best + 1
        self.lowest = validation_loss if better else self.lowest
        return better

    def plain(self) -> dict[str, Any]:
        """As a note."""
        return asdict(self)

    @classmethod
    def from_plain(cls, note: Mapping[str, Any]) -> Self:
        """From a note."""
        return cls(**note)


def in_words(epoch: int, epochs: int, numbers: Mapping[str, float]) -> str:
    """`epoch 3 of 10: loss 0.211, accuracy 93.10 %, validation loss 0.225, accuracy 92.00 %`."""
    said = f"epoch {epoch} of {epochs}: loss {numbers['loss']:.3g}"
    if "accuracy" in numbers:
        said += f", accuracy {100 * numbers['accuracy']:.2f} %"
    if "validation_loss" in numbers:
        said += f", validation loss {numbers['validation_loss']:.3g}"
    if "validation_accuracy" in numbers:
        said += f", accuracy {100 * numbers['validation_accuracy']:.2f} %"
    return said
