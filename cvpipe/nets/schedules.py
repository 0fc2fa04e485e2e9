"""Learning-rate schedules as pure functions of time: the factor on the first rate.

`t` is the time since the start and `total` the length of the training, in the same unit; 0 <= t < total. A step of a
training is at t = steps done / steps per epoch, so that times and periods are in epochs whatever the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

Name = Literal[
    "constant",
    "step",
    "multi_step",
    "two_step",
    "exponential",
    "inverse_time",
    "polynomial",
    "cosine",
    "one_cycle",
    "tanh",
]
NAMES: tuple[str, ...] = get_args(Name)

DECAYS = {
    "step": 0.1,
    "multi_step": 0.1,
    "two_step": 0.1,
    "exponential": 0.95,
    "inverse_time": 1.0,
    "polynomial": 2.0,
}
"""What `decay` is where it is not given."""


@dataclass(frozen=True)
class Schedule:
    """A schedule with its constants; times in epochs."""

    name: str = "constant"
    decay: float | None = None
    """Factor of a drop (step, multi_step, two_step), of a unit of time (exponential), the k of 1 / (1 + k t)
    (inverse_time), the exponent (polynomial)."""
    every: float = 10.0
    """Time between two drops of `step`."""
    milestones: tuple[float, ...] = (0.5, 0.75)
    """Shares of the training after which `multi_step` drops."""
    warm_up: float = 0.0
    """Time over which the factor also rises in a straight line from 0."""

    def factor(self, t: float, total: float) -> float:
        """The factor on the first rate at time `t` of `total`."""
        rising = min(t / self.warm_up, 1.0) if self.warm_up else 1.0
        decay = DECAYS.get(self.name, 0.0) if self.decay is None else self.decay
        return rising * _FACTORS[self.name](self, t, total, decay)


def constant(t: float, total: float) -> float:
    """1."""
    return 1.0


def step(t: float, decay: float, every: float) -> float:
    """`decay` to the number of whole periods."""
    return decay ** math.floor(t / every + 1e-9)


def multi_step(t: float, total: float, decay: float, milestones: tuple[float, ...]) -> float:
    """`decay` to the number of milestones (shares of `total`) that have passed."""
    return decay ** sum(t >= share * total - 1e-9 for share in milestones)


def exponential(t: float, decay: float) -> float:
    """`decay` to the power t."""
    return decay**t


def inverse_time(t: float, decay: float) -> float:
    """1 / (1 + decay t), the rate of Robbins & Monro 1951."""
    return 1 / (1 + decay * t)


def polynomial(t: float, total: float, power: float) -> float:
    """(1 - t / total) to the power."""
    return (1 - t / total) ** power


def cosine(t: float, total: float) -> float:
    """Half a cosine from 1 to 0 (Loshchilov & Hutter, "SGDR", ICLR 2017, equation 5, without restarts)."""
    return (1 + math.cos(math.pi * t / total)) / 2


def one_cycle(t: float, total: float, rise: float = 0.3, start: float = 25.0, end: float = 1e4) -> float:
    """From 1/start to 1 in the first `rise` of the training, then to 1/(start end), along half cosines (Smith & Topin,
    "Super-convergence", 2019)."""
    top = rise * total
    low, high, share = (
        (1 / start, 1.0, t / top) if t < top else (1.0, 1 / (start * end), (t - top) / (total - top))
    )
    return high + (low - high) * (1 + math.cos(math.pi * share)) / 2


def tanh_decay(t: float, total: float, low: float = -6.0, high: float = 3.0) -> float:
    """(1 - tanh(low + (high - low) t / total)) / 2 (Hsueh, Li & Wu, "Stochastic gradient descent with
    hyperbolic-tangent decay on classification", 2018, equation 3)."""
    return (1 - math.tanh(low + (high - low) * t / total)) / 2


_FACTORS: dict[str, Callable[[Schedule, float, float, float], float]] = {
    "constant": lambda s, t, total, decay: constant(t, total),
    "step": lambda s, t, total, decay: step(t, decay, s.every),
    "multi_step": lambda s, t, total, decay: multi_step(t, total, decay, s.milestones),
    # After one half and three quarters, as He et al. 2016 train residual networks on CIFAR-10 (section 4.2).
    "two_step": lambda s, t, total, decay: multi_step(t, total, decay, (0.5, 0.75)),
    "exponential": lambda s, t, total, decay: exponential(t, decay),
    "inverse_time": lambda s, t, total, decay: inverse_time(t, decay),
    "polynomial": lambda s, t, total, decay: polynomial(t, total, decay),
    "cosine": lambda s, t, total, decay: cosine(t, total),
    "one_cycle": lambda s, t, total, decay: one_cycle(t, total),
    "tanh": lambda s, t, total, decay: tanh_decay(t, total),
}


def batch_at(first: int, factor: float, images: int) -> int:
    """The batch that has grown instead of the rate having fallen by `factor`: first / factor, at most a tenth of the
    images (Smith, Kindermans, Ying & Le, "Don't decay the learning rate, increase the batch size", ICLR 2018, section
    5), and never below `first`."""
    return max(first, min(round(first / max(factor, 1e-9)), images // 10))
