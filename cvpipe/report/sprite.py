"""Many small copies of images in one picture: one `data:` address serves a whole page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COLUMNS = 25  # thumbnails side by side
SIDES = (112, 96, 80, 64, 56, 48, 40, 32)  # px, tried until the picture is small enough
QUALITY = 70  # of WebP, 1 … 100
LEAST = 0.2  # bytes that a pixel takes at least, as measured on aerial images: larger sides need no try


@dataclass(frozen=True)
class Sprite:
    """n thumbnails in rows of `columns`; number i lies in column i % columns."""

    uri: str
    """`data:image/webp;base64,…`; empty for no thumbnails."""
    columns: int
    rows: int
    side: int
    """px of one thumbnail, which is square; the image lies in its middle."""


def make_sprite(images: Sequence[np.ndarray], most_bytes: int) -> Sprite:
    """A sprite of (H, W, 3) uint8 images, smaller where it would take more than so many bytes."""
    if not images:
        return Sprite("", 0, 0, 0)
    columns = min(COLUMNS, len(images))
    side = _largest(most_bytes / (len(images) * LEAST))
    data = _encoded(images, side, columns)
    while data.size > most_bytes and side > SIDES[-1]:
        side = min(_largest(side**2 * most_bytes / data.size), SIDES[SIDES.index(side) + 1])
        data = _encoded(images, side, columns)
    uri = f"data:image/webp;base64,{base64.b64encode(data.tobytes()).decode()}"
    return Sprite(uri, columns, -(-len(images) // columns), side)


def _largest(area: float) -> int:
    """The largest side whose square is at most `area` px, or the smallest of all."""
    return next((side for side in SIDES if side**2 <= area), SIDES[-1])


def _encoded(images: Sequence[np.ndarray], side: int, columns: int) -> np.ndarray:
    """The bytes of the picture, as uint8."""
    import cv2

    rows = -(-len(images) // columns)
    sheet = np.full((rows * side, columns * side, 3), 128, np.uint8)
    for place, pixels in enumerate(images):
        top, left = (side * n for n in divmod(place, columns))
        sheet[top : top + side, left : left + side] = _square(pixels, side)
    return cv2.imencode(".webp", sheet[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1]


def _square(pixels: np.ndarray, side: int) -> np.ndarray:
    """(side, side, 3): the whole image in the middle of grey; small ones are enlarged without smoothing."""
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
