"""The one size and kind of pixels that a network sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from cvpipe.data import Images
from cvpipe.threads import map_blocks
from cvpipe.vision.resize import resize
from cvpipe.vision.working_size import grey

LARGEST = 224
"""The longest side that `size: auto` gives, px."""
BLOCK = 64
"""Images that a thread decodes at a time."""


@dataclass(frozen=True)
class Frame:
    """Height and width, px, and 1 or 3 channels."""

    height: int
    width: int
    channels: int

    def pixels(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB of any size -> (height, width, channels) uint8; the shape is stretched."""
        image = grey(image) if self.channels == 1 else image
        return resize(image, self.width, self.height).reshape(self.height, self.width, self.channels)

    def batch(self, images: Images) -> np.ndarray:
        """(n, height, width, channels) uint8, decoded by the threads that are allowed."""
        out = np.empty((len(images), self.height, self.width, self.channels), np.uint8)

        def work(start: int, stop: int) -> None:
            for row in range(start, stop):
                out[row] = self.pixels(images[row])

        map_blocks(work, len(images), BLOCK)
        return out

    def megabytes(self, count: int) -> float:
        """What so many images take as bytes, MB."""
        return count * self.height * self.width * self.channels / 1e6


def sides(size: Any) -> Any:
    """(height, width), px, that an option `size` names, or `auto`."""
    return (size, size) if isinstance(size, int) else size


def frame_of(images: Images, size: Any, channels: str, smallest: int) -> Frame:
    """The frame that the options `size` and `channels` stand for, given training images; with `auto`, no side is below
    `smallest`, px. Images are decoded only if something is `auto`."""
    known = sides(size)
    if known != "auto" and channels != "auto":
        return Frame(known[0], known[1], 1 if channels == "grey" else 3)
    shapes, greys = _survey(images)
    height, width = _auto(shapes, smallest) if known == "auto" else known
    is_grey = bool(greys.all()) if channels == "auto" else channels == "grey"
    return Frame(height, width, 1 if is_grey else 3)


def _auto(shapes: np.ndarray, smallest: int) -> tuple[int, int]:
    if (shapes == shapes[0]).all():
        height, width = (float(side) for side in shapes[0])
    else:
        height = width = float(np.median(shapes))
    shrink = min(LARGEST / max(height, width), 1.0)
    return max(round(height * shrink), smallest), max(round(width * shrink), smallest)


def _survey(images: Images) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) heights and widths, and whether each image is grey."""

    def look(start: int, stop: int) -> list[tuple[int, int, bool]]:
        return [_seen(images[row]) for row in range(start, stop)]

    seen = [entry for block in map_blocks(look, len(images), BLOCK) for entry in block]
    return np.array([entry[:2] for entry in seen], np.int64), np.array([entry[2] for entry in seen])


def _seen(image: np.ndarray) -> tuple[int, int, bool]:
    red, green, blue = cv2.split(image)
    return image.shape[0], image.shape[1], bool((red == green).all() and (green == blue).all())
