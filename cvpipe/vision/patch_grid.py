"""The patches of an image on a regular grid: their colours and where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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


def grid_of(colours: np.ndarray, patch: int, step: int) -> Grid:
    """The patches of an (h, w, 3) float32 image on a centred grid; none if it is smaller than a patch."""
    shape = colours.shape[:2]
    room = [side - patch if min(shape) >= patch else -1 for side in shape]
    first = [free % step // 2 for free in room]
    middle = (patch - 1) / 2
    rows, columns = (
        np.arange(start, free + 1, step) + middle for start, free in zip(first, room, strict=True)
    )
    values = windows(colours / np.float32(patch * np.sqrt(3)), patch, first, step)
    y, x = (((centres + 0.5) / max(shape)).astype(np.float32) for centres in (rows, columns))
    return Grid(
        values, np.einsum("ij,ij->i", values, values), np.tile(x, len(y)), np.repeat(y, len(x)),
        rows, columns, step, shape,
    )  # fmt: skip


def windows(image: np.ndarray, patch: int, first: list[int], step: int) -> np.ndarray:
    """(m, 3 patch^2) pixels of the windows of an (h, w, 3) image from a first row and column on, row by row.

    (0, 3 patch^2) if the image is smaller than a patch.
    """
    if min(image.shape[:2]) < patch:
        return np.empty((0, 3 * patch**2), image.dtype)
    seen = np.lib.stride_tricks.sliding_window_view(image, (patch, patch), axis=(0, 1))
    seen = seen[first[0] :: step, first[1] :: step]  # (r, c, 3, patch, patch)
    return seen.transpose(0, 1, 3, 4, 2).reshape(-1, 3 * patch**2)  # as they lie in memory: copied in runs
