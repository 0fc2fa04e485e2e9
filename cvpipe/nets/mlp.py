"""Dense layers: the multilayer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import nn

from cvpipe.nets.layers import activation as unit


def mlp(
    classes: int,
    channels: int,
    size: tuple[int, int],
    widths: Sequence[int],
    activation: str,
    dropout: float,
    batch_norm: bool,
) -> nn.Module:
    """Pixels to hidden layers of so many units each, to classes: 784-500-300-100-10 for digits of 28x28.

    The layers are `dense1`, `dense2`, …; `out` gives the scores.
    """
    net = nn.Sequential()
    net.add_module("flatten", nn.Flatten())
    ends = [channels * prod(size), *widths]
    for number, (inputs, outputs) in enumerate(pairwise(ends), 1):
        net.add_module(f"dense{number}", nn.Linear(inputs, outputs))
        if batch_norm:
            net.add_module(f"norm{number}", nn.BatchNorm1d(outputs))
        net.add_module(f"{activation}{number}", unit(activation))
        if dropout:
            net.add_module(f"dropout{number}", nn.Dropout(dropout))
    net.add_module("out", nn.Linear(ends[-1], classes))
    return net
