"""Random changes of where things are: mirror images, shifts, angles, sizes. Borders are filled by reflection."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def flip(images: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """(n, C, H, W): left and right change places in some images."""
    chosen = uniform(images, generator) < probability
    return torch.where(chosen[:, None, None, None], images.flip(-1), images)


def crop(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """(n, C, H, W): shifted by whole pixels, up to `share` of the side in each direction."""
    count, _, height, width = images.shape
    rows = _shifted(height, share, images, generator)
    columns = _shifted(width, share, images, generator)
    image = torch.arange(count, device=images.device)[:, None, None]
    moved = images.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)


def warp(images: Tensor, degrees: float, scale: float, generator: torch.Generator) -> Tensor:
    """(n, C, H, W): turned by up to `degrees` either way and made up to 1 + `scale` times larger or smaller, about the
    middle, with bilinear interpolation."""
    height, width = images.shape[2:]
    angle = (2 * uniform(images, generator) - 1) * math.radians(degrees)
    size = (1 + scale) ** (2 * uniform(images, generator) - 1)
    cosine, sine, zero = angle.cos() / size, angle.sin() / size, torch.zeros_like(angle)
    # In coordinates from -1 to 1 along each side: a turn of an image that is not square needs its shape.
    rows = [torch.stack([cosine, -sine * height / width, zero], 1),
            torch.stack([sine * width / height, cosine, zero], 1)]  # fmt: skip
    grid = functional.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def uniform(images: Tensor, generator: torch.Generator) -> Tensor:
    """(n,) draws from [0, 1), one for each image."""
    return torch.rand(len(images), generator=generator, device=images.device)


def _shifted(side: int, share: float, images: Tensor, generator: torch.Generator) -> Tensor:
    """(n, side) the row (or column) that comes to each place, reflected at the border without repeating it."""
    most = min(round(share * side), side - 1)
    shift = torch.floor(uniform(images, generator) * (2 * most + 1)).long() - most
    place = torch.arange(side, device=images.device) + shift[:, None]
    return (side - 1) - ((side - 1) - place.abs()).abs()
