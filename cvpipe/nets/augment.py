"""Random changes to a batch of training images: their names, their strengths, and all of them in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from cvpipe.nets.augment_places import crop, flip, warp
from cvpipe.nets.augment_values import colour, erase

Name = Literal["flip", "crop", "rotate", "scale", "colour", "erase", "mixup", "cutmix"]
NAMES: tuple[str, ...] = get_args(Name)

STRENGTHS = {
    "flip": 0.5,  # probability of the mirror image
    "crop": 0.125,  # largest shift, share of the side: 4 of 32 px (He et al., CVPR 2016, section 4.2)
    "rotate": 15.0,  # largest angle, degrees
    "scale": 0.2,  # sizes from 1 / 1.2 to 1.2
    "colour": 0.2,  # brightness, contrast and saturation times 0.8 to 1.2
    "erase": 0.5,  # probability of a grey rectangle (Zhong et al., AAAI 2020, table 1)
    "mixup": 0.2,  # alpha of the Beta distribution (Zhang et al., ICLR 2018, section 3.1)
    "cutmix": 1.0,  # alpha of the Beta distribution (Yun et al., ICCV 2019, section 3.1)
}
"""What a name alone stands for. A strength of 0 changes nothing. `mixup` and `cutmix` mix labels too: see
`cvpipe.nets.mixing`."""


def augmented(images: Tensor, strengths: Mapping[str, float], generator: torch.Generator) -> Tensor:
    """(n, C, H, W) float32 in [0, 1] -> the same shape, each image changed by draws of its own.

    The order is that of `NAMES`; rotation and scale are one resampling.
    """
    wanted = {name: strength for name, strength in strengths.items() if strength > 0}
    if "flip" in wanted:
        images = flip(images, wanted["flip"], generator)
    if "crop" in wanted:
        images = crop(images, wanted["crop"], generator)
    if "rotate" in wanted or "scale" in wanted:
        images = warp(images, wanted.get("rotate", 0.0), wanted.get("scale", 0.0), generator)
    if "colour" in wanted:
        images = colour(images, wanted["colour"], generator)
    if "erase" in wanted:
        images = erase(images, wanted["erase"], generator)
    return images
