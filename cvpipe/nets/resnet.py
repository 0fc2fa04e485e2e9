"""ResNet, ResNeXt: torchvision's, for any number of channels, with a stem for small images."""

from __future__ import annotations

from functools import partial

from torch import nn

SMALL = 64
"""Below this side (px) `stem: auto` is the one for small images."""


def resnet(name: str, classes: int, channels: int, size: tuple[int, int], stem: str) -> nn.Module:
    """A residual network; its `stem` is `standard` (7x7 with stride 2, pooling), `small` (3x3, no pooling) or `auto`.

    Source: He, Zhang, Ren & Sun, "Deep residual learning for image recognition", CVPR 2016, table 1 and section 4.2 for
    the stem of images of 32x32; Xie et al., "Aggregated residual transformations for deep neural networks", CVPR
    2017, table 1 (net: resnext50).
    """
    from torchvision import models

    net = getattr(models, name)(weights=None, num_classes=classes)
    small = stem == "small" or (stem == "auto" and min(size) < SMALL)
    if small:
        net.conv1 = nn.Conv2d(channels, 64, 3, stride=1, padding=1, bias=False)
        net.maxpool = nn.Identity()
    elif channels != 3:
        net.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    return net


resnet18, resnet34, resnet50, resnet101, resnet152, resnext50 = (
    partial(resnet, name)
    for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d")
)
