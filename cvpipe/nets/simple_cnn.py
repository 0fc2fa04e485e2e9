"""Convolutions, each with pooling, then dense layers: the network of a first course."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn


def simple_cnn(
    classes: int,
    channels: int,
    size: tuple[int, int],
    widths: Sequence[int],
    kernel: int,
    dense: Sequence[int],
    batch_norm: bool,
    dropout: float,
) -> nn.Module:
    """For each width a convolution (same padding), ReLU and 2x2 max-pooling; for each of `dense` a layer with ReLU.

    With widths 32-64 and dense 32 on 28x28 grey pixels it has 119,530 parameters. The layers are `conv1`, `pool1`,
    …, `dense1`, …; `out` gives the scores.
    """
    net = nn.Sequential()
    for number, (inputs, outputs) in enumerate(pairwise([channels, *widths]), 1):
        net.add_module(f"conv{number}", nn.Conv2d(inputs, outputs, kernel, padding="same"))
        if batch_norm:
            net.add_module(f"norm{number}", nn.BatchNorm2d(outputs))
        net.add_module(f"relu{number}", nn.ReLU())
        net.add_module(f"pool{number}", nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    halved = 2 ** len(widths)
    ends = [([channels, *widths][-1]) * (size[0] // halved) * (size[1] // halved), *dense]
    for number, (inputs, outputs) in enumerate(pairwise(ends), 1):
        if dropout:
            net.add_module(f"dropout{number}", nn.Dropout(dropout))
        net.add_module(f"dense{number}", nn.Linear(inputs, outputs))
        net.add_module(f"relu_dense{number}", nn.ReLU())
    if dropout:
        net.add_module("dropout_out", nn.Dropout(dropout))
    net.add_module("out", nn.Linear(ends[-1], classes))
    return net
