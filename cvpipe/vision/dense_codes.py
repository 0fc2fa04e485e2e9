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
    from cvpipe.vision import _codes_kernel

    pixels = np.ascontiguousarray(filters.unit.rows(image))
    scale = _scales(image, filters, stride)
    most, size = max(1, BLOCK // (width * together)) * together, len(filters.weights)
    table = np.ones((most * width, size + 1), np.float32)  # the last column adds the offset
    weights = np.vstack([filters.weights, filters.offset])
    for top, bottom in pairwise(cuts):
        for first in range(top, bottom, most):
            block = table[: (min(first + most, bottom) - first) * width]
            _codes_kernel.gather(pixels, (first, width, stride), filters.window, scale, block)
            yield first, block @ weights


def _scales(image: np.ndarray, filters: Filters, stride: int) -> np.ndarray:
    """(positions down, positions across) float32: what the numbers of each patch are multiplied by."""
    if filters.evening == "contrast":
        return _inverse_deviation(image, filters, stride)
    return np.ones(positions(image, filters.window, stride), np.float32)


def _inverse_deviation(image: np.ndarray, filters: Filters, stride: int) -> np.ndarray:
    """1 / sqrt(variance + contrast) of the window at each position.

    Pixels are whole numbers until the end; the numbers of maps are float64, in their unit.
    """
    from cvpipe.vision import _codes_kernel

    whole = image.dtype == np.uint8
    numbers = image if whole else filters.unit.rows(image).astype(np.float64)
    numbers = np.ascontiguousarray(numbers)
    tables = np.zeros((2, image.shape[0] + 1, image.shape[1] + 1), np.int64 if whole else np.float64)
    _codes_kernel.rectangle_sums(numbers, tables)
    total, squared = (_window_sums(table, filters.window, stride) for table in tables)
    count = len(filters.weights)
    variance = (count * squared - total**2) / count**2
    return inverse_deviation(variance, squared / count, filters.contrast)


def _window_sums(table: np.ndarray, window: tuple[int, int], stride: int) -> np.ndarray:
    """Sums over the window at each position, from the sums over rectangles at the upper left."""
    h, w = window
    corners = (table[h:, w:], table[:-h, w:], table[h:, :-w], table[:-h, :-w])
    both, above, left, neither = (corner[::stride, ::stride] for corner in corners)
    return both - above - left + neither
