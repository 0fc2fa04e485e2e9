"""Two training images in one, and their labels with them: mixup and cutmix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixed:
    """Images, the two labels of each, and the share of the first label."""

    images: Tensor
    first: Tensor
    second: Tensor
    share: float


def mixed(
    images: Tensor, targets: Tensor, strengths: Mapping[str, float], draws: np.random.Generator
) -> Mixed:
    """A batch put together with a permutation of itself, by mixup or cutmix; by one of them, at even odds, where both
    have a strength. One share is drawn for these images from Beta(alpha, alpha), as in the papers' code for a batch; on
    a CPU they are the `part` of a batch that a thread takes, so a batch has several shares."""
    wanted = [name for name in ("mixup", "cutmix") if strengths.get(name, 0) > 0]
    if not wanted or len(images) < 2:
        return Mixed(images, targets, targets, 1.0)
    name = wanted[int(draws.integers(len(wanted)))]
    share = float(draws.beta(strengths[name], strengths[name]))
    other = torch.from_numpy(draws.permutation(len(images))).to(images.device)
    if name == "mixup":
        return Mixed(images * share + images[other] * (1 - share), targets, targets[other], share)
    return _cut(images, targets, other, share, draws)


def _cut(images: Tensor, targets: Tensor, other: Tensor, share: float, draws: np.random.Generator) -> Mixed:
    """A rectangle with 1 - share of the area comes from the other image (Yun et al., ICCV 2019, equation 2); what lies
    outside the image is cut off, and the share follows the area."""
    height, width = images.shape[2:]
    side = np.sqrt(1 - share)
    y, x = draws.integers(height), draws.integers(width)
    top, left = (max(int(c - side * n / 2), 0) for c, n in ((y, height), (x, width)))
    bottom, right = (min(int(c + side * n / 2), n) for c, n in ((y, height), (x, width)))
    images = images.clone()
    images[:, :, top:bottom, left:right] = images[other][:, :, top:bottom, left:right]
    kept = 1 - (bottom - top) * (right - left) / (height * width)
    return Mixed(images, targets, targets[other], kept)
