"""Optimisers by name, with weight decay where it belongs: on weights, not on biases and scales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import torch

Name = Literal["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]
NAMES: tuple[str, ...] = get_args(Name)


def make(
    name: str,
    parameters: Mapping[str, torch.nn.Parameter],
    *,
    rate: float,
    momentum: float = 0.9,
    l2: float = 0.0,
    factors: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """A torch optimiser over named parameters.

    `l2` adds l2 * w to the gradient of each tensor of two or more dimensions; with adamw it shrinks w instead
    (Loshchilov & Hutter, "Decoupled weight decay regularization", ICLR 2019). `factors` multiplies the rate of a
    parameter. Parameters in one group share both; a group holds its factor as `factor`.
    """
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for key, parameter in parameters.items():
        place = (l2 if parameter.ndim > 1 else 0.0, (factors or {}).get(key, 1.0))
        groups.setdefault(place, []).append(parameter)
    listed = [
        {"params": members, "weight_decay": decay, "factor": factor, "lr": rate * factor}
        for (decay, factor), members in groups.items()
    ]
    return _MAKERS[name](listed, rate, momentum)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The rate of the next step, in each group times its factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


_MAKERS: dict[str, Any] = {
    "sgd": lambda groups, rate, m: torch.optim.SGD(groups, rate, fused=True),
    "momentum": lambda groups, rate, m: torch.optim.SGD(groups, rate, momentum=m, fused=True),
    "nesterov": lambda groups, rate, m: torch.optim.SGD(groups, rate, momentum=m, nesterov=True, fused=True),
    "adagrad": lambda groups, rate, m: torch.optim.Adagrad(groups, rate),
    "rmsprop": lambda groups, rate, m: torch.optim.RMSprop(groups, rate),
    "adam": lambda groups, rate, m: torch.optim.Adam(groups, rate, fused=True),
    "adamw": lambda groups, rate, m: torch.optim.AdamW(groups, rate, fused=True),
}
