"""AlexNet and the network that came after it, ZFNet."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from cvpipe.nets.layers import with_head

SMALL = 64
"""Below this side (px) `stem: auto` is the one for small images."""


def alexnet(
    classes: int,
    channels: int,
    size: tuple[int, int],
    norm: str,
    groups: int,
    stem: str,
    dense: Sequence[int],
    dropout: float,
) -> nn.Module:
    """Five convolutions, the second, fourth and fifth in two groups (the paper's two GPUs), and two dense layers.

    60,965,224 parameters at 224x224 with 1,000 classes. `norm: lrn` is the paper's response normalisation, `batch` is
    batch normalisation instead. The `small` stem has 5x5 px with stride 1 in place of 11x11 with stride 4, for images
    of 28x28 or 32x32. Images of more than 224x224 are pooled to the 6x6 positions that the dense layers know.

    Source: Krizhevsky, Sutskever & Hinton, "ImageNet classification with deep convolutional neural networks", NIPS
    2012, section 3.5; a margin of 2 px makes their 55x55 positions from 224x224.
    """
    deep = "batch" if norm == "batch" else "none"  # the paper normalises behind the first two only
    small = stem == "small" or (stem == "auto" and min(size) < SMALL)
    first = nn.Conv2d(channels, 96, 5, padding=2) if small else nn.Conv2d(channels, 96, 11, 4, padding=2)
    features = nn.Sequential(
        *_unit(first, norm),
        nn.MaxPool2d(3, 2),
        *_unit(nn.Conv2d(96, 256, 5, padding=2, groups=groups), norm),
        nn.MaxPool2d(3, 2),
        *_unit(nn.Conv2d(256, 384, 3, padding=1), deep),
        *_unit(nn.Conv2d(384, 384, 3, padding=1, groups=groups), deep),
        *_unit(nn.Conv2d(384, 256, 3, padding=1, groups=groups), deep),
        nn.MaxPool2d(3, 2),
    )
    return with_head(features, classes, channels, size, dense, dropout)


def zfnet(
    classes: int, channels: int, size: tuple[int, int], dense: Sequence[int], dropout: float
) -> nn.Module:
    """AlexNet with finer first filters (7x7 with stride 2) and no groups; 62,357,608 parameters at 224x224.

    Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, figure 3.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 96, 7, 2, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
        _response_norm(),
        nn.Conv2d(96, 256, 5, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, padding=1),
        _response_norm(),
        *_unit(nn.Conv2d(256, 384, 3, padding=1), "none"),
        *_unit(nn.Conv2d(384, 384, 3, padding=1), "none"),
        *_unit(nn.Conv2d(384, 256, 3, padding=1), "none"),
        nn.MaxPool2d(3, 2),
    )
    return with_head(features, classes, channels, size, dense, dropout)


def _unit(conv: nn.Conv2d, norm: str) -> list[nn.Module]:
    """A convolution, its rectifier, its normalisation: batch normalisation before it, the paper's after it."""
    if norm == "batch":
        return [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU(inplace=True)]
    return [conv, nn.ReLU(inplace=True), *([_response_norm()] if norm == "lrn" else [])]


def _response_norm() -> nn.Module:
    # The paper's alpha is for a sum over five maps, torch's for their mean.
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
