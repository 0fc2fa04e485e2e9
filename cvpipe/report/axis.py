"""A number line with round ticks, for figures that share one scale."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # distances of ticks that are easy to read as percent
MOST_TICKS = 6  # as many percentages as fit under a plot of 300 px


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, drawn from `left` to `right` px."""

    low: float
    high: float
    step: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """The place of a value, px, rounded to a tenth."""
        return round(self.left + (value - self.low) / (self.high - self.low) * (self.right - self.left), 1)

    def holds(self, value: float) -> bool:
        """Whether a value lies on the line."""
        return self.low <= value <= self.high

    @property
    def ticks(self) -> list[float]:
        """Round values from one end to the other."""
        return [self.low + i * self.step for i in range(round((self.high - self.low) / self.step) + 1)]


def axis_for(values: Iterable[float], left: float, right: float) -> Axis:
    """The shortest line that holds all values in [0, 1], with round ends and two to six ticks."""
    values = list(values) or [0.0, 1.0]
    for step in STEPS:
        low = math.floor(min(values) / step + 1e-9) * step
        high = max(math.ceil(max(values) / step - 1e-9) * step, low + step)
        if (high - low) / step < MOST_TICKS - 0.5:
            return Axis(low, high, step, left, right)
    return Axis(0.0, 1.0, 0.2, left, right)
