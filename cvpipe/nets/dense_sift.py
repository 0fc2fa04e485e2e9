"""Dense SIFT in torch, for a GPU: every linear step is a product with a small matrix, for all channels at once.

The same numbers as the compiled `vision.dense_sift`, up to the order of sums and its polynomial for angles. Products
and not convolutions: on NVIDIA cards torch rounds the latter to 10 bits unless told otherwise.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from cvpipe.vision import dense_sift as maths
from cvpipe.vision.sift_layout import CELLS, DIRECTIONS, WIDTH

CLIP, GAIN, LARGEST, TINY = 0.2, 512, 255, 2**-23
"""Limit of a unit descriptor's numbers, what they are multiplied by, their limit then, and what is added to lengths."""


def describe(
    planes: np.ndarray, bin_size: int, tops: np.ndarray, lefts: np.ndarray, how: maths.DenseSift,
    values: np.ndarray, where: str,
) -> list[np.ndarray]:  # fmt: skip
    """As `vision.dense_sift.describe_planes`, on a torch device: `cuda`, or `cpu` to compare."""
    with torch.inference_mode():
        given = torch.from_numpy(planes).to(where)
        height, width = planes.shape[1:]
        sigma = bin_size / how.magnif
        smooth = _times(given, _smoothing(height, sigma), _smoothing(width, sigma))
        maps = _orientations(smooth)
        weights = maths.bin_weights(bin_size, how.window)
        rows, columns = (_pooling(s, bin_size, n, weights) for s, n in ((tops, height), (lefts, width)))
        pooled = _times(maps, rows, columns)
        shape = (len(planes), DIRECTIONS, len(tops), CELLS, len(lefts), CELLS)
        bins = pooled.reshape(shape).permute(2, 4, 0, 3, 5, 1).reshape(-1, len(planes), WIDTH)
        area = (maths.SPAN * bin_size + 1) ** 2
        contrast = (bins.sum(dim=2) / area).T.cpu().numpy()
        values[:] = _normalised(bins).cpu().numpy()
    return list(contrast)


def _times(maps: torch.Tensor, rows: np.ndarray, columns: np.ndarray) -> torch.Tensor:
    """rows x maps x columns', for (…, H, W) maps, (h, H) rows and (w, W) columns."""
    left, right = (torch.from_numpy(m.astype(np.float32)).to(maps.device) for m in (rows, columns))
    return left @ maps @ right.T


def _smoothing(length: int, sigma: float) -> np.ndarray:
    """(length, length): a Gaussian along one side, mirrored at the border, with the border pixel twice."""
    kernel = cv2.getGaussianKernel(maths.window_side(sigma), sigma)[:, 0]
    reach = len(kernel) // 2
    mirrored = np.pad(np.arange(length), reach, mode="symmetric")
    matrix = np.zeros((length, length))
    for shift, weight in enumerate(kernel):
        np.add.at(matrix, (np.arange(length), mirrored[shift : shift + length]), weight)
    return matrix


def _pooling(starts: np.ndarray, bin_size: int, length: int, weights: np.ndarray) -> np.ndarray:
    """(4 m, length): weighted triangular sums around the four bins that begin at each start; the border repeats."""
    centres = (starts[:, None] + bin_size * np.arange(CELLS)).ravel()
    matrix = np.zeros((len(centres), length))
    for shift in range(1 - bin_size, bin_size):
        place = np.clip(centres + shift, 0, length - 1)
        np.add.at(matrix, (np.arange(len(centres)), place), (bin_size - abs(shift)) / bin_size)
    return matrix * np.tile(weights, len(starts))[:, None]


def _orientations(planes: torch.Tensor) -> torch.Tensor:
    """(C, H, W) -> (C, 8, H, W): each gradient shared between the two nearest orientations, linearly."""
    down, across = torch.gradient(planes, dim=(1, 2))
    size = torch.hypot(across, down)
    turn = torch.remainder(torch.atan2(down, across) * (4 / np.pi), DIRECTIONS)
    gap = (turn[:, None] - torch.arange(DIRECTIONS, device=planes.device)[:, None, None]).abs()
    return size[:, None] * (1 - torch.minimum(gap, DIRECTIONS - gap)).clamp(min=0)


def _normalised(bins: torch.Tensor) -> torch.Tensor:
    """(…, 128) of unit length, clipped, of unit length again, times 512, at most 255."""
    unit = (bins / (bins.norm(dim=-1, keepdim=True) + TINY)).clamp(max=CLIP)
    return (unit * GAIN / (unit.norm(dim=-1, keepdim=True) + TINY)).clamp(max=LARGEST)
