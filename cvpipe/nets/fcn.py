"""Fully convolutional networks: a map of scores for each class instead of one score."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from cvpipe.nets.layers import output_shape
from cvpipe.nets.vgg import trunk

FIELD = 7
"""Side of the first convolution after the trunk, positions: at 224 px VGG's dense layers see 7x7 of them."""


class Fcn(nn.Module):
    """The convolutions of a VGG network, its dense layers made convolutions, and skips from its poolings.

    The scores of a class are a map with a position for each 32nd pixel, or, with the finer scores of one or two
    poolings added to it, each 16th or 8th. The score of an image is the mean over the map, so the map shows where it
    comes from. Between two strides scores are interpolated linearly; the paper goes on learning from there. With
    VGG-16, colour and 21 classes it has the paper's 134 million parameters (table 1).

    Source: Long, Shelhamer & Darrell, "Fully convolutional networks for semantic segmentation", CVPR 2015, sections
    3.1 and 4; Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015,
    table 1; Lin, Chen & Yan, "Network in network", ICLR 2014, section 3.2.
    """

    def __init__(
        self,
        classes: int,
        channels: int,
        size: tuple[int, int],
        skips: int,
        vgg: str,
        dense: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        depth, _, batch_norm = vgg.removeprefix("vgg").partition("_")
        features = trunk(depth, bool(batch_norm), channels)
        ends = [place + 1 for place, layer in enumerate(features) if isinstance(layer, nn.MaxPool2d)]
        begins = [0, *ends[-1 - skips : -1], len(features)]
        self.parts = nn.ModuleList(features[begin:end] for begin, end in pairwise(begins))
        """Those of the trunk between two poolings from which scores are taken."""
        maps, *sides = output_shape(features, channels, size)
        self.dense = _as_convolutions(maps, sides, dense, dropout)
        widths = [*(_width(part) for part in self.parts[:-1]), dense[-1] if dense else maps]
        self.scores = nn.ModuleList(nn.Conv2d(width, classes, 1) for width in widths)

    def class_maps(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, classes, h // s, w // s) scores, where s is 32, 16 or 8 px."""
        finer: list[Tensor] = []
        for part, score in zip(self.parts[:-1], self.scores[:-1], strict=True):
            x = part(x)
            finer.append(score(x))
        found = self.scores[-1](self.dense(self.parts[-1](x)))
        for scores in reversed(finer):
            found = scores + functional.interpolate(found, scores.shape[-2:], mode="bilinear")
        return found

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, classes)."""
        return self.class_maps(x).mean((2, 3))


def _as_convolutions(maps: int, sides: Sequence[int], widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Dense layers that keep their weights wherever they look: section 3.1. What no image of this size can show, since
    it lies outside of every map, the first of them does not look at."""
    layers, (height, width) = nn.Sequential(), (min(FIELD, 2 * side - 1) for side in sides)
    for units in widths:
        conv = nn.Conv2d(maps, units, (height, width), padding=(height // 2, width // 2))
        layers.extend([conv, nn.ReLU(inplace=True), nn.Dropout(dropout)])
        maps, height, width = units, 1, 1
    return layers


def _width(part: nn.Module) -> int:
    """Channels of what a part of the trunk gives."""
    return [layer.out_channels for layer in part.modules() if isinstance(layer, nn.Conv2d)][-1]


def fcn(
    skips: int,
    classes: int,
    channels: int,
    size: tuple[int, int],
    vgg: str,
    dense: Sequence[int],
    dropout: float,
) -> nn.Module:
    """See `Fcn`."""
    return Fcn(classes, channels, size, skips, vgg, dense, dropout)


fcn32s, fcn16s, fcn8s = (partial(fcn, skips) for skips in range(3))
