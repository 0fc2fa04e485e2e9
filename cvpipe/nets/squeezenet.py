"""SqueezeNet: torchvision's, for any number of channels."""

from __future__ import annotations

from torch import nn


def squeezenet(classes: int, channels: int, size: tuple[int, int]) -> nn.Module:
    """AlexNet's accuracy with a fiftieth of its parameters: version 1.0.

    Source: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016,
    table 1.
    """
    from torchvision import models

    net = models.squeezenet1_0(weights=None, num_classes=classes)
    if channels != 3:
        net.features[0] = nn.Conv2d(channels, 96, 7, stride=2)
    return net
