"""Random changes of what is seen: colours, and a rectangle that is missing."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cvpipe.nets.augment_places import uniform

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, as everywhere in cvpipe."""
AREAS = (0.02, 0.4)
"""Share of the image that is erased (Zhong et al., "Random erasing data augmentation", AAAI 2020, section 4.1)."""
ASPECTS = (0.3, 1 / 0.3)
"""Height by width of what is erased (the same)."""


def colour(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """(n, C, H, W) in [0, 1]: brightness, contrast (about the mean grey) and, of three channels, saturation are
    multiplied by factors in 1 - strength to 1 + strength; the result is cut to [0, 1]."""
    brightness, contrast, saturation = (
        (1 + strength * (2 * uniform(images, generator) - 1))[:, None, None, None] for _ in range(3)
    )
    images = images * brightness
    grey = _grey(images)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    if images.shape[1] == 3:
        images = grey + (images - grey) * saturation
    return (mean + (images - mean) * contrast).clamp(0, 1)


def erase(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """(n, C, H, W): in some images a rectangle becomes middle grey (0.5)."""
    height, width = images.shape[2:]
    draws = [uniform(images, generator) for _ in range(5)]
    area = (AREAS[0] + (AREAS[1] - AREAS[0]) * draws[1]) * height * width
    aspect = torch.exp(math.log(ASPECTS[0]) + (math.log(ASPECTS[1]) - math.log(ASPECTS[0])) * draws[2])
    tall = (area * aspect).sqrt().round().clamp(1, height)
    wide = (area / aspect).sqrt().round().clamp(1, width)
    down = _inside(height, tall, (draws[3] * (height - tall + 1)).floor())
    across = _inside(width, wide, (draws[4] * (width - wide + 1)).floor())
    gone = down[:, None, :, None] & across[:, None, None, :] & (draws[0] < probability)[:, None, None, None]
    return images.masked_fill(gone, 0.5)


def _inside(side: int, length: Tensor, first: Tensor) -> Tensor:
    """(n, side) whether a row (or column) is one of the `length` that begin at `first`."""
    place = torch.arange(side, device=length.device)
    return (place >= first[:, None]) & (place < (first + length)[:, None])


def _grey(images: Tensor) -> Tensor:
    if images.shape[1] != 3:
        return images.mean(dim=1, keepdim=True)
    weights = torch.tensor(LUMA, device=images.device)[None, :, None, None]
    return (images * weights).sum(dim=1, keepdim=True)
