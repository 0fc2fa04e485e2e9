"""What samplers of patches share: places in each image become a batch of windows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Literal

import numpy as np

from cvpipe.data import Images, Maps, Patches, offsets_of
from cvpipe.vision.working_size import grey

Colour = Literal["rgb", "grey"]
"""Grey patches have three equal channels, so that every stage that takes patches takes them."""

Find = Callable[[np.ndarray, int], np.ndarray]
"""(m, 2) int64 x, y of the patches' upper left pixels in an (H, W, 3) uint8 image or (h, w, C) maps, from it and its
row."""


def patches_of(batch: Images | Maps, size: int, colour: Colour, find: Find) -> Patches:
    """Windows of size x size px at the places that `find` gives. It is asked only about images that hold a window.

    Windows of maps are float32 and keep all C channels, whatever `colour` is.
    """
    empty = _no_windows(batch, size)
    sizes, pixels, corners = [], [empty], [np.empty((0, 2), np.int64)]
    stacks: Iterable[np.ndarray] = (
        map(batch.stack, range(len(batch))) if isinstance(batch, Maps) else iter(batch)
    )
    for row, image in enumerate(stacks):
        holds = min(image.shape[:2]) >= size
        found = find(image, row) if holds else corners[0]
        sizes.append(image.shape[:2])
        corners.append(found)
        pixels.append(cut(image, found, size, colour) if len(found) else empty)
    return Patches(
        offsets=offsets_of([len(p) for p in pixels[1:]]),
        pixels=np.concatenate(pixels),
        xy=(np.concatenate(corners) + (size - 1) / 2).astype(np.float32),
        size=np.array(sizes, np.int32).reshape(-1, 2),
    )


def _no_windows(batch: Images | Maps, size: int) -> np.ndarray:
    if isinstance(batch, Maps):
        return np.empty((0, size, size, batch.values.shape[1]), np.float32)
    return np.empty((0, size, size, 3), np.uint8)


def cut(image: np.ndarray, corners: np.ndarray, size: int, colour: Colour) -> np.ndarray:
    """(m, size, size, C) windows of an (H, W, C) image or maps; `corners` (m >= 1, 2) x, y of their first pixels."""
    x, y = corners.T
    windows = np.lib.stride_tricks.sliding_window_view(image, (size, size), axis=(0, 1))[y, x]
    patches = np.ascontiguousarray(windows.transpose(0, 2, 3, 1))
    if colour == "rgb" or image.dtype != np.uint8:
        return patches
    luma = grey(patches.reshape(len(corners) * size, size, 3)).reshape(len(corners), size, size, 1)
    return np.repeat(luma, 3, axis=3)


def corners_of(places: np.ndarray, image: np.ndarray, size: int) -> np.ndarray:
    """(m, 2) x, y of numbered places: a window's upper left pixel, row by row of those at which it fits."""
    y, x = np.divmod(places, image.shape[1] - size + 1)
    return np.stack([x, y], axis=1)


def addresses(batch: Images | Maps) -> list[str]:
    """Under what the draw in each image is seeded: its id; of maps, which know no ids, a hash of their numbers."""
    if isinstance(batch, Images):
        return batch.ids
    return [hashlib.sha256(batch.stack(row).tobytes()).hexdigest() for row in range(len(batch))]


def place_count(image: np.ndarray, size: int) -> int:
    """How many places there are for a window; the image holds at least one."""
    height, width = image.shape[:2]
    return (height - size + 1) * (width - size + 1)
