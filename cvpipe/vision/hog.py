"""Histograms of oriented gradients in cells, normalised over blocks of cells.

Source: Dalal & Triggs, "Histograms of oriented gradients for human detection", CVPR 2005, section 6.
"""

from __future__ import annotations

import numpy as np

EPSILON = 1e-5
"""Added to the squared length of a block, in units of squared grey levels; scikit-image's."""
CLIP = 0.2
"""L2-Hys: no number of a block is larger before it is normalised again; Lowe 2004, section 6.1."""


def gradients(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) or (H, W, C) -> x and y differences (H, W), float32; of several channels those of the steepest.

    Centred differences [-1, 0, 1], 0 at the border (section 6.2).
    """
    values = np.atleast_3d(pixels).astype(np.float32)
    dx, dy = np.zeros_like(values), np.zeros_like(values)
    dx[:, 1:-1] = values[:, 2:] - values[:, :-2]
    dy[1:-1] = values[2:] - values[:-2]
    steepest = (dx * dx + dy * dy).argmax(axis=2)[..., None]
    return np.take_along_axis(dx, steepest, 2)[..., 0], np.take_along_axis(dy, steepest, 2)[..., 0]


def cell_histograms(pixels: np.ndarray, cell: int, orientations: int) -> np.ndarray:
    """(H // cell, W // cell, orientations) float64 mean gradient magnitude by unsigned direction, of 0 to 180 degrees.

    A pixel counts for one cell and one direction only; pixels beyond the last whole cell do not count.
    """
    down, across = pixels.shape[0] // cell, pixels.shape[1] // cell
    dx, dy = gradients(pixels)
    dx, dy = (d[: down * cell, : across * cell].astype(np.float64) for d in (dx, dy))
    degrees = np.rad2deg(np.arctan2(dy, dx)) % 180
    direction = np.minimum((degrees * (orientations / 180)).astype(np.int64), orientations - 1)
    y, x = np.arange(down * cell) // cell, np.arange(across * cell) // cell
    place = (y[:, None] * across + x) * orientations + direction
    total = np.bincount(place.ravel(), np.hypot(dx, dy).ravel(), down * across * orientations)
    return total.reshape(down, across, orientations) / cell**2


def block_vectors(histograms: np.ndarray, block: int) -> np.ndarray:
    """(h, w, o) cells -> (h - block + 1, w - block + 1, block, block, o), blocks of length 1 (L2-Hys, section 6.4)."""
    windows = np.lib.stride_tricks.sliding_window_view(histograms, (block, block), axis=(0, 1))
    blocks = np.moveaxis(windows, 2, -1)
    return _unit(np.minimum(_unit(blocks), CLIP))


def _unit(blocks: np.ndarray) -> np.ndarray:
    square = (blocks * blocks).sum(axis=(2, 3, 4), keepdims=True)
    return blocks / np.sqrt(square + EPSILON**2)
