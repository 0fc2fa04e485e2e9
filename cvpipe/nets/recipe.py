"""Everything that decides how a network is trained, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cvpipe.nets.schedules import Schedule, batch_at

Saved = tuple[dict[str, np.ndarray], dict[str, Any]]


@dataclass(frozen=True)
class Recipe:
    """How to train. Lengths in epochs, rates per step."""

    epochs: int = 10
    batch: int = 128
    """Images of a step; 0 for all."""
    optimiser: str = "adam"
    rate: float = 1e-3
    momentum: float = 0.9
    schedule: Schedule = field(default_factory=Schedule)
    grow_batch: bool = False
    """The batch grows where the schedule would lower the rate."""
    l1: float = 0.0
    l2: float = 0.0
    smoothing: float = 0.0
    """Share of a label that is spread over all classes."""
    average: float = 0.0
    """Decay of a moving average of the weights, which is what is kept; 0 for none."""
    clip: float = 0.0
    """Largest norm of a gradient; 0 for no limit."""
    augment: Mapping[str, float] = field(default_factory=dict)
    part: int = 32
    """Images that a thread takes at once, on a CPU."""
    patience: int = 0
    """Epochs without a better validation loss after which training ends; 0 to never end early."""
    mixed_precision: bool = False
    compiled: bool = False
    factors: Mapping[str, float] = field(default_factory=dict)
    """Factors on the rate, by name of parameter."""

    def first_batch(self, images: int) -> int:
        """Images of a step before the batch grows."""
        return min(self.batch or images, images)

    def plan(self, images: int) -> list[tuple[int, int]]:
        """(batch, steps) of each epoch. A batch that is not full is left out, unless it is the only one."""
        first = self.first_batch(images)
        batches = [first] * self.epochs
        if self.grow_batch:  # a warm-up is of the rate: the batch is the first one meanwhile
            warm = replace(self.schedule, warm_up=0.0)
            falls = [warm.factor(e, self.epochs) for e in range(self.epochs)]
            batches = [batch_at(first, fall, images) for fall in falls]
        return [(batch, max(images // batch, 1)) for batch in batches]


@dataclass(frozen=True)
class Ties:
    """What a training says and keeps while it runs."""

    note: Callable[[str], None] = lambda text: None
    load: Callable[[], Saved | None] = lambda: None
    save: Callable[[dict[str, np.ndarray], dict[str, Any]], None] = lambda arrays, note: None
    scalars: Callable[[int, dict[str, float]], None] = lambda epoch, values: None
    """Called after each epoch with its numbers; what writes TensorBoard files."""
