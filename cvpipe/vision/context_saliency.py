"""Context-aware saliency: how far a patch is from the patches most like it.

The formulas are those of Goferman, Zelnik-Manor & Tal, "Context-aware saliency detection", CVPR 2010 and PAMI 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvpipe.vision.colour import lab
from cvpipe.vision.saliency import unit_range
from cvpipe.vision.working_size import scaled

SMALLEST = 0.2
"""Of the scales that neighbours are taken from; Goferman 2012, section 3.2."""
FINER = (0.5, 0.25)
"""Scales of further neighbours, as parts of that of the patch; Goferman 2012, section 3.2."""
ROWS, COLUMNS = 128, 2048
"""Patches in a block of distances, which lies in the second-level cache."""


@dataclass(frozen=True)
class ContextSaliency:
    """What decides the map."""

    patch: int
    """Side of a patch, px."""
    step: int
    """px between patches."""
    neighbours: int
    """How many of the most similar patches count."""
    scales: Sequence[float]
    """Parts of the image's size at which patches are compared."""
    position_weight: float
    """c of equation 1: 0 forgets where patches lie."""
    focus: float | None
    """Saliency from which on a place is a focus of attention; None does without."""


@dataclass(frozen=True)
class Grid:
    """The patches of an image at one scale."""

    values: np.ndarray
    """(m, D) float32 colours of all pixels, divided by sqrt(D): distances are root mean squares."""
    squares: np.ndarray
    """(m,) float32 squared lengths of the values."""
    x: np.ndarray
    """(m,) float32 centres, from the image's left edge, of 1 for its longer side."""
    y: np.ndarray
    """(m,) float32, from its upper edge, in the same unit."""
    rows: np.ndarray
    """(r,) centres in px of the scaled image."""
    columns: np.ndarray
    """(c,) centres in px of the scaled image; m = r c, row by row."""
    step: int
    """px between centres."""
    shape: tuple[int, ...]
    """Height and width of the scaled image, px."""

    def places(self, some: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Squared lengths, x and y of some patches."""
        return self.squares[some], self.x[some], self.y[some]


def context_saliency(image: np.ndarray, how: ContextSaliency) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1], the mean of the maps of all scales.

    Scales at which no two patches fit are left out; zeros if none is left.
    """
    colours = normal_lab(image)
    needed = {scale for own in how.scales for scale in searched(own)}
    grids = {scale: grid_of(scaled(colours, scale), how.patch, how.step) for scale in needed}
    maps = [
        spread(_one_scale([grids[s] for s in searched(own)], how), grids[own], *colours.shape[:2])
        for own in how.scales
        if len(grids[own].values) > 1
    ]
    if not maps:
        return np.zeros(colours.shape[:2], np.float32)
    return np.stack(maps).mean(axis=0)


def searched(scale: float) -> list[float]:
    """Where patches of one scale look for their like: there, and at half and a quarter of it that are large enough."""
    return [scale, *(scale * part for part in FINER if scale * part >= SMALLEST)]


def _one_scale(among: Sequence[Grid], how: ContextSaliency) -> np.ndarray:
    """(r, c) float32 saliency in [0, 1] of each patch of the first grid; equations 3 and 5."""
    grid = among[0]
    distances = mean_distances(grid, among, how.neighbours, how.position_weight)
    saliency = unit_range(1 - np.exp(-distances)).reshape(len(grid.rows), len(grid.columns))
    return saliency if how.focus is None else near_foci(saliency, how.focus, grid.step / max(grid.shape))


def normal_lab(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W, 3) float32 CIELab under D65: L / 100, a / 255 and b / 255, less the mean colour.

    Only differences count; around the mean they keep more digits.
    """
    colours = lab(image) * np.array([1 / 100, 1 / 255, 1 / 255], np.float32)
    return colours - colours.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)


def grid_of(colours: np.ndarray, patch: int, step: int) -> Grid:
    """The patches of an (h, w, 3) float32 image on a centred grid; none if it is smaller than a patch."""
    room = [side - patch for side in colours.shape[:2]]
    rows, columns = (np.arange(free % step // 2, free + 1, step) for free in room)
    values: np.ndarray = np.empty((0, 3 * patch**2), np.float32)
    if min(room) < 0:
        rows, columns = rows[:0], columns[:0]
    else:
        windows = np.lib.stride_tricks.sliding_window_view(colours, (patch, patch), axis=(0, 1))
        values = windows[rows[:, None], columns].reshape(-1, 3 * patch**2) / np.float32(patch * np.sqrt(3))
    middle = (patch - 1) / 2
    places = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2) + (middle + 0.5)
    x, y = (places / max(colours.shape[:2])).astype(np.float32).T.copy()
    squares = np.einsum("ij,ij->i", values, values)
    return Grid(values, squares, x, y, rows + middle, columns + middle, step, colours.shape[:2])


def mean_distances(of: Grid, among: Sequence[Grid], neighbours: int, weight: float) -> np.ndarray:
    """(m,) float32: mean distance of each patch to the nearest patches of all grids `among`, itself apart.

    The distance is that of equation 1, colour / (1 + weight * place). Where there are fewer patches than `neighbours`,
    all count.
    """
    from cvpipe.vision import _nearest_kernel as kernel  # compiles on first use; importing numba is slow

    means = np.zeros(len(of.values), np.float32)
    blocks = [(g, slice(s, s + COLUMNS)) for g in among for s in range(0, len(g.values), COLUMNS)]
    for start in range(0, len(means), ROWS):
        rows = slice(start, min(start + ROWS, len(means)))
        size = rows.stop - start
        kept = np.empty((size, 4 * neighbours + kernel.STRIP), np.float32)
        count, limit = np.zeros(size, np.int64), np.full(size, np.inf, np.float32)
        for grid, columns in blocks:
            products = of.values[rows] @ grid.values[columns].T
            own = start - columns.start if grid is of else -len(means)
            kernel.keep_nearest(
                products, of.places(rows), grid.places(columns), np.float32(weight), own, neighbours,
                kept, count, limit,
            )  # fmt: skip
        kernel.mean_of_nearest(kept, count, neighbours, means[rows])
    return means


def near_foci(saliency: np.ndarray, focus: float, step: float) -> np.ndarray:
    """(r, c) saliency times 1 less the distance from the nearest place above `focus`; equation 5.

    `step` is the distance of neighbours, of 1 for the image's longer side; distances above 1 count as 1.
    """
    from scipy.ndimage import distance_transform_edt  # OpenCV's is not the same twice

    away = saliency <= focus
    if away.all():
        return saliency
    near = np.maximum(1 - step * distance_transform_edt(away), 0)
    return saliency * near.astype(np.float32)


def spread(saliency: np.ndarray, grid: Grid, height: int, width: int) -> np.ndarray:
    """(r, c) values of a grid -> (height, width), linear between centres, constant beyond the outermost."""
    weights = [
        hats((np.arange(side) + 0.5) * small / side - 0.5, centres, grid.step)
        for side, small, centres in zip((height, width), grid.shape, (grid.rows, grid.columns), strict=True)
    ]
    return weights[0] @ saliency @ weights[1].T


def hats(places: np.ndarray, centres: np.ndarray, step: int) -> np.ndarray:
    """(n, m) float32: share of each of m equally spaced centres in linear interpolation at each of n places."""
    inside = np.clip(places, centres[0], centres[-1])
    return np.maximum(0, 1 - np.abs(inside[:, None] - centres) / step).astype(np.float32)
