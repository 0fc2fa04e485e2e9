"""Context-aware saliency: how far a patch is from the patches most like it.

The formulas are those of Goferman, Zelnik-Manor & Tal, "Context-aware saliency detection", CVPR 2010 and PAMI 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from cvpipe.vision.colour import lab
from cvpipe.vision.patch_grid import Grid, grid_of
from cvpipe.vision.patch_neighbours import mean_distances
from cvpipe.vision.saliency import unit_range
from cvpipe.vision.working_size import scaled

SMALLEST = 0.2
"""Of the scales that neighbours are taken from; Goferman 2012, section 3.2."""
FINER = (0.5, 0.25)
"""Scales of further neighbours, as parts of that of the patch; Goferman 2012, section 3.2."""
UNITS = np.array([1 / 100, 1 / 255, 1 / 255])
"""What L, a and b of CIELab are multiplied by, which brings each to a range of about 1."""


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


def _one_scale(grids: Sequence[Grid], how: ContextSaliency) -> np.ndarray:
    """(r, c) float32 saliency in [0, 1] of each patch of the first grid; equations 3 and 5."""
    grid = grids[0]
    distances = mean_distances(grids, how.neighbours, how.position_weight)
    saliency = unit_range(1 - np.exp(-distances)).reshape(len(grid.rows), len(grid.columns))
    return saliency if how.focus is None else near_foci(saliency, how.focus, grid.step / max(grid.shape))


def normal_lab(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W, 3) float32 CIELab under D65: L / 100, a / 255 and b / 255, less the mean colour.

    Only differences count; around the mean they keep more digits.
    """
    colours = lab(image)
    mean = np.array(cv2.mean(colours)[:3])
    return cv2.transform(colours, np.column_stack([np.diag(UNITS), -UNITS * mean]))


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
