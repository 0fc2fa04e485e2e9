"""Many small copies of images in one picture: one `data:` address serves a whole page.

Images are made small as they are read: hundreds of photographs at their full size would not fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvpipe.report.thumbnails import address, webp

COLUMNS = 25  # thumbnails side by side
SIDES = (112, 96, 80, 64, 56, 48, 40, 32)  # px, tried until the picture is small enough
SAMPLE = 24  # thumbnails that tell what a pixel takes
SPARE = 0.97  # of the room is filled by what they tell: others may take more


@dataclass(frozen=True)
class Sprite:
    """n thumbnails in rows of `columns`; number i lies in column i % columns."""

    uri: str
    """`data:image/webp;base64,…`; empty for no thumbnails."""
    columns: int
    rows: int
    side: int
    """px of one thumbnail, which is square; the image lies in its middle."""


def make_sprite(squares: Sequence[np.ndarray], most_bytes: int) -> Sprite:
    """A sprite of what `squared` gives for some images, smaller where it would take more than so many bytes."""
    if not squares:
        return Sprite("", 0, 0, 0)
    columns = min(COLUMNS, len(squares))
    side = _fitting(squares, most_bytes)
    data = _encoded(squares, side, columns)
    while len(data) > most_bytes and side > SIDES[-1]:
        side = SIDES[SIDES.index(side) + 1]
        data = _encoded(squares, side, columns)
    return Sprite(address(data), columns, -(-len(squares) // columns), side)


def _fitting(squares: Sequence[np.ndarray], most_bytes: int) -> int:
    """The side at which all thumbnails should take at most so many bytes, as some of them tell."""
    some = squares[:: -(-len(squares) // SAMPLE)]
    room = SPARE * most_bytes * len(some) / len(squares)
    sizes = ((side, len(_encoded(some, side, min(COLUMNS, len(some))))) for side in SIDES)
    return next((side for side, size in sizes if size <= room), SIDES[-1])


def _encoded(squares: Sequence[np.ndarray], side: int, columns: int) -> bytes:
    """The picture as a file."""
    import cv2

    rows = -(-len(squares) // columns)
    sheet = np.full((rows * side, columns * side, 3), 128, np.uint8)
    for place, pixels in enumerate(squares):
        top, left = (side * n for n in divmod(place, columns))
        smaller = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
        sheet[top : top + side, left : left + side] = smaller
    return webp(sheet)


def squared(pixels: np.ndarray, side: int = SIDES[0]) -> np.ndarray:
    """(H, W, 3) uint8 -> (side, side, 3): the whole image in the middle of grey; small ones are enlarged without
    smoothing."""
    import cv2

    height, width = pixels.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_NEAREST
    small = cv2.resize(pixels, size, interpolation=how)
    square = np.full((side, side, 3), 128, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square
