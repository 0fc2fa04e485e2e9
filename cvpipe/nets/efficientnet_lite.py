"""EfficientNet-Lite0: EfficientNet without what small devices are slow at (squeeze-and-excitation, swish)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

STAGES = (
    # widening, kernel, stride, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
"""Tan & Le 2019, table 1; the squeeze-and-excitation is left out."""
STEM, HEAD = 32, 1280
"""Channels, which are the same in all Lite variants."""
EPSILON, MOMENTUM = 1e-3, 0.01
"""Of normalisations: TensorFlow's, with which the published weights were trained."""


class SameConv(nn.Conv2d):
    """A convolution that gives ceil(side / stride), with the odd pixel of margin at the right and the bottom.

    That is TensorFlow's padding; the published weights expect it.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, c, h, w) -> (n, channels, ceil(h / stride), ceil(w / stride))."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        high, wide = (max((side - 1) // stride * stride + kernel - side, 0) for side in x.shape[2:])
        if high % 2 == 0 and wide % 2 == 0:
            return functional.conv2d(
                x, self.weight, self.bias, stride, (high // 2, wide // 2), 1, self.groups
            )
        margins = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
        return functional.conv2d(
            functional.pad(x, margins), self.weight, self.bias, stride, 0, 1, self.groups
        )


def unit(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution and its normalisation."""
    conv = SameConv(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs, eps=EPSILON, momentum=MOMENTUM)]


class Block(nn.Module):
    """An inverted residual: widen, convolve each channel by itself, narrow; added to the input where shapes agree.

    Source: Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018, section 3.
    """

    def __init__(self, inputs: int, outputs: int, widening: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * widening
        widen = [*unit(inputs, wide), nn.ReLU6(inplace=True)] if widening > 1 else []
        each = [*unit(wide, wide, kernel, stride, groups=wide), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*widen, *each, *unit(wide, outputs))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) -> (n, outputs, ceil(h / stride), ceil(w / stride))."""
        return x + self.layers(x) if self.adds else self.layers(x)


def efficientnet_lite0(classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """`stem`, `block1` … `block16`, `head` (the last convolution), `pool` (1,280 means), `out`; 4,652,008 parameters.

    Source: Tan & Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, table 1;
    Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog 2020: ReLU6,
    no squeeze-and-excitation, stem and head of fixed width.
    """
    net = nn.Sequential()
    net.add_module("stem", nn.Sequential(*unit(channels, STEM, 3, 2), nn.ReLU6(inplace=True)))
    inputs, number = STEM, 0
    for widening, kernel, stride, outputs, blocks in STAGES:
        for place in range(blocks):
            number += 1
            block = Block(inputs, outputs, widening, kernel, stride if place == 0 else 1)
            net.add_module(f"block{number}", block)
            inputs = outputs
    net.add_module("head", nn.Sequential(*unit(inputs, HEAD), nn.ReLU6(inplace=True)))
    net.add_module("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    net.add_module("dropout", nn.Dropout(0.2))
    net.add_module("out", nn.Linear(HEAD, classes))
    return net
