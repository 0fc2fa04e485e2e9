"""Layers and activations that several networks share."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3): about 1 for an input of 1.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998, appendix A.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsample(nn.Module):
    """The mean of each 2x2 square, times a weight plus a bias of each map.

    Source: LeCun et al. 1998, section II.B, layer S2.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(maps))
        self.bias = nn.Parameter(torch.zeros(maps))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, maps, h, w) -> (n, maps, h // 2, w // 2)."""
        return functional.avg_pool2d(x, 2) * self.weight[:, None, None] + self.bias[:, None, None]


class TableConv(nn.Module):
    """A convolution in which each output map sees only some input maps.

    `table[i]` lists the inputs of output map i. Source: LeCun et al. 1998, table I.
    """

    pairs: torch.Tensor

    def __init__(self, inputs: int, table: tuple[tuple[int, ...], ...], kernel: int) -> None:
        super().__init__()
        pairs = [(out, into) for out, row in enumerate(table) for into in row]
        self.shape = (len(table), inputs, kernel, kernel)
        self.register_buffer("pairs", torch.tensor(pairs).T.contiguous(), persistent=False)
        fan = kernel * kernel * len(pairs) / len(table)
        self.weight = nn.Parameter(torch.empty(len(pairs), kernel, kernel).uniform_(-1, 1) / fan**0.5)
        self.bias = nn.Parameter(torch.zeros(len(table)))

    def fans(self) -> tuple[float, float]:
        """Inputs of a unit and outputs of an input, in the mean."""
        outputs, inputs, *sides = self.shape
        weights = len(self.weight) * math.prod(sides)
        return weights / outputs, weights / inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) -> (n, outputs, h - kernel + 1, w - kernel + 1)."""
        outputs, inputs = self.pairs[0], self.pairs[1]
        dense = self.weight.new_zeros(self.shape).index_put((outputs, inputs), self.weight)
        return functional.conv2d(x, dense, self.bias)


def with_head(
    features: nn.Module,
    classes: int,
    channels: int,
    size: tuple[int, int],
    dense: Sequence[int],
    dropout: float,
    most: int = 6,
    dropout_first: bool = True,
) -> nn.Module:
    """Convolutions, pooled to at most `most` x `most` positions, then dense layers with dropout before or after."""
    maps, height, width = output_shape(features, channels, size)
    net = nn.Sequential()
    net.add_module("features", features)
    if max(height, width) > most:
        height, width = min(height, most), min(width, most)
        net.add_module("avgpool", nn.AdaptiveAvgPool2d((height, width)))
    net.add_module("flatten", nn.Flatten())
    net.add_module("classifier", dense_head(maps * height * width, dense, classes, dropout, dropout_first))
    return net


def dense_head(
    inputs: int, widths: Sequence[int], classes: int, dropout: float, dropout_first: bool
) -> nn.Sequential:
    """Dense layers with ReLU, then one to the classes; dropout before each of the hidden layers, or after it."""
    head = nn.Sequential()
    for width in widths:
        layers = [nn.Linear(inputs, width), nn.ReLU(inplace=True)]
        drop = nn.Dropout(dropout)
        head.extend([drop, *layers] if dropout_first else [*layers, drop])
        inputs = width
    return head.append(nn.Linear(inputs, classes))


def output_shape(features: nn.Module, channels: int, size: tuple[int, int]) -> tuple[int, int, int]:
    """(maps, height, width) of what convolutions give for an image; nothing is computed."""
    empty = torch.empty(1, channels, *size, device="meta")
    with torch.no_grad():
        shape = copy.deepcopy(features).to("meta").eval()(empty).shape
    return shape[1], shape[2], shape[3]


def activation(word: str) -> nn.Module:
    """`tanh`, `scaled_tanh`, `relu` or `sigmoid`."""
    return {"tanh": nn.Tanh, "scaled_tanh": ScaledTanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid}[word]()
