"""DenseNet-121: torchvision's, for any number of channels."""

from __future__ import annotations

from torch import nn


def densenet121(classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """Four blocks in which each layer sees all before it.

    Source: Huang, Liu, van der Maaten & Weinberger, "Densely connected convolutional networks", CVPR 2017, table 1.
    """
    from torchvision import models

    net = models.densenet121(weights=None, num_classes=classes)
    if channels != 3:
        net.features.conv0 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    return net
