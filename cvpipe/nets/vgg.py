"""VGG: many small convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import nn

from cvpipe.nets.layers import with_head

WIDTHS = {
    "11": (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    "13": (64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    "16": (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0),
    "19": (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0),
}
"""Channels of each convolution of 3x3; 0 is max-pooling of 2x2. Columns A, B, D and E of the paper's table 1."""


def trunk(depth: str, batch_norm: bool, channels: int) -> nn.Sequential:
    """The convolutions and poolings of a VGG network."""
    features, inputs = nn.Sequential(), channels
    for width in WIDTHS[depth]:
        if not width:
            features.append(nn.MaxPool2d(2))
            continue
        features.append(nn.Conv2d(inputs, width, 3, padding=1))
        if batch_norm:
            features.append(nn.BatchNorm2d(width))
        features.append(nn.ReLU(inplace=True))
        inputs = width
    return features


def vgg(
    depth: str,
    batch_norm: bool,
    classes: int,
    channels: int,
    size: tuple[int, int],
    dense: Sequence[int],
    dropout: float,
) -> nn.Module:
    """A VGG network; its layers have torchvision's names (`features.28`, `classifier.3`).

    The dense layers see at most 7x7 positions, as at 224x224; fewer if the images have fewer.

    Source: Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
    table 1; batch normalisation came later.
    """
    features = trunk(depth, batch_norm, channels)
    return with_head(features, classes, channels, size, dense, dropout, most=7, dropout_first=False)


vgg11, vgg13, vgg16, vgg19 = (partial(vgg, depth, False) for depth in WIDTHS)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (partial(vgg, depth, True) for depth in WIDTHS)
