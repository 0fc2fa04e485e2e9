"""Filters run over an image or maps: codes of the patch at every position, pooled while they are in cache.

The codes of a whole image are never held: 400 filters at 250 x 250 positions would be 100 MB. Patches are gathered for
some rows of positions at a time, multiplied by all filters at once, coded and pooled.

A patch x with mean m and deviation s becomes ((x - m) / s - mean) W with a whitening W. As a product with pixels
that is x A / s - mean W, where A is W with the mean of each column taken off: both normalisation and whitening are
part of the filters, and s is found for all positions from sums over windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from cvpipe.vision.local_pooling import squares
from cvpipe.vision.patch_rows import FLAT_SCALE, Evening, Unit, inverse_deviation
from cvpipe.vision.region_pooling import Level, Pool, RegionSums

BLOCK = 512
"""Positions coded at a time, in whole rows: with 800 filters their codes are 1.6 MB."""


@dataclass(frozen=True)
class Filters:
    """Linear filters on the pixels of a patch, with its normalisation folded in."""

    weights: np.ndarray
    """(h w C, K) float32, on grey levels - 128."""
    offset: np.ndarray
    """(K,) float32, added in the end."""
    evening: Evening
    contrast: float
    """Added to the variance of a patch, squared grey levels."""
    window: tuple[int, int]
    """Height and width of a patch, px."""
    unit: Unit = field(default_factory=Unit)
    """In which numbers become grey levels - 128."""


def folded(
    matrix: np.ndarray,
    offset: np.ndarray,
    evening: Evening,
    contrast: float,
    window: tuple[int, int],
    unit: Unit | None = None,
) -> Filters:
    """Filters for pixels from (D, K) `matrix` and (K,) `offset` for rows that `patch_rows.evened` gives."""
    matrix = matrix.astype(np.float64)
    if evening != "none":
        matrix = matrix - matrix.mean(axis=0)
    if evening != "contrast":
        matrix = matrix * FLAT_SCALE
    weights = np.ascontiguousarray(matrix, np.float32)
    return Filters(weights, offset.astype(np.float32), evening, contrast, window, unit or Unit())


def pooled(
    image: np.ndarray,
    filters: Filters,
    encode: Callable[[np.ndarray], np.ndarray],
    stride: int,
    levels: Sequence[Level],
    pools: Sequence[Pool],
) -> np.ndarray | None:
    """Codes of the patches of an image, pooled: (regions, pools, codes) float32; None if no patch fits into it.

    image (H, W, C) uint8, or float32 maps. `encode` makes (n, codes) float32 from the (n, K) float32 responses of the
    filters, which it may overwrite. Positions are `stride` px apart, from the upper left. Regions go level after
    level, row by row; one without positions has zeros. The deviation `std` divides by the number of positions.
    """
    height, width = positions(image, filters.window, stride)
    if not height or not width:
        return None
    sums = RegionSums(height, width, levels, pools)
    for first, responses in _blocks(image, filters, stride, sums.rows, width):
        codes = encode(responses)
        sums.add(first, codes.reshape(-1, width, codes.shape[1]))
    return sums.pooled()


def gridded(
    image: np.ndarray,
    filters: Filters,
    encode: Callable[[np.ndarray], np.ndarray],
    stride: int,
    side: int,
    pools: Sequence[Pool],
) -> np.ndarray | None:
    """Codes as `pooled` has them, pooled over squares of side x side positions: (rows, columns, pools * codes) float32.

    Positions that fill no square are dropped; None if there is no square. Besides what is given back, no more than
    the codes of `side` rows of positions or of some `BLOCK` positions are held.
    """
    height, width = (places // side for places in positions(image, filters.window, stride))
    if not height or not width:
        return None
    across = positions(image, filters.window, stride)[1]
    found = []
    for _, responses in _blocks(image, filters, stride, [0, height * side], across, side):
        codes = encode(responses)
        found.append(squares(codes.reshape(-1, across, codes.shape[1]), side, pools))
    return np.concatenate(found)


def positions(image: np.ndarray, window: tuple[int, int], stride: int) -> tuple[int, int]:
    """How many places a window has in an image, down and across; 0 where the image is smaller."""
    down, across = (
        max(0, (side - length) // stride + 1) for side, length in zip(image.shape, window, strict=False)
    )
    return down, across


def _blocks(
    image: np.ndarray, filters: Filters, stride: int, cuts: Sequence[int], width: int, together: int = 1
) -> Iterator[tuple[int, np.ndarray]]:
    """(first row of positions, (rows x width, K) responses) from top to bottom, cut at `cuts`; rows come by as many as
    are `together`."""
    pixels = filters.unit.rows(image)
    views = np.lib.stride_tricks.sliding_window_view(pixels, filters.window, axis=(0, 1))
    patches = views[::stride, ::stride].transpose(0, 1, 3, 4, 2)  # from (rows, columns, C, h, w)
    scale = _inverse_deviation(image, filters)[::stride, ::stride] if filters.evening == "contrast" else None
    most, size = max(1, BLOCK // (width * together)) * together, len(filters.weights)
    table = np.ones((most * width, size + 1), np.float32)  # the last column adds the offset
    weights = np.vstack([filters.weights, filters.offset])
    for top, bottom in pairwise(cuts):
        for first in range(top, bottom, most):
            here = slice(first, min(first + most, bottom))
            block = table[: (here.stop - first) * width]
            block[:, :size].reshape(here.stop - first, width, *patches.shape[2:])[...] = patches[here]
            if scale is not None:
                block[:, :size] *= scale[here].reshape(-1, 1)
            yield first, block @ weights


def _inverse_deviation(image: np.ndarray, filters: Filters) -> np.ndarray:
    """(H - h + 1, W - w + 1) float32: 1 / sqrt(variance + contrast) of each window.

    Pixels are whole numbers until the end; the numbers of maps are float64, in their unit.
    """
    whole = image.dtype == np.uint8
    numbers = image.astype(np.int64) if whole else filters.unit.rows(image).astype(np.float64)
    count = len(filters.weights)
    total = _window_sums(numbers.sum(axis=2), filters.window)
    squared = _window_sums(np.einsum("hwc,hwc->hw", numbers, numbers), filters.window)
    variance = (count * squared - total**2) / count**2
    return inverse_deviation(variance, squared / count, filters.contrast)


def _window_sums(values: np.ndarray, window: tuple[int, int]) -> np.ndarray:
    """(H, W) int64 or float64 -> (H - h + 1, W - w + 1): sums over windows, from sums over rectangles at the upper
    left."""
    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1), values.dtype)
    table[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    h, w = window
    return table[h:, w:] - table[:-h, w:] - table[h:, :-w] + table[:-h, :-w]
