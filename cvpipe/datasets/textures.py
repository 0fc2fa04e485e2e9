"""Crops of the photographs in the scikit-image wheel: a real data set without a download."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Annotated

import numpy as np
from annotated_types import Interval

from cvpipe.data import Dataset, Images
from cvpipe.data.decode import decode, read_bytes
from cvpipe.datasets._files import shipped
from cvpipe.datasets._source import Source
from cvpipe.errors import BadImage, SpecError


@dataclass(frozen=True)
class Photograph:
    """A file in `skimage/data`, and the rectangle of it that has texture, px."""

    file: str
    top: int
    left: int
    height: int
    width: int


# Photographs with structure nearly everywhere. Left out: sky (camera, rocket), drawings (page, text, logo),
# those too small for ten blocks of four crops (chelsea, coins), and second views of the same scene
# (motorcycle_right).
PHOTOGRAPHS = {
    "astronaut": Photograph("astronaut.png", 0, 0, 512, 512),
    "brick": Photograph("brick.png", 0, 0, 512, 512),
    "coffee": Photograph("coffee.png", 0, 0, 400, 600),
    "grass": Photograph("grass.png", 0, 0, 512, 512),
    "gravel": Photograph("gravel.png", 0, 0, 512, 512),
    "hubble": Photograph("hubble_deep_field.jpg", 0, 0, 872, 1000),
    "ihc": Photograph("ihc.png", 0, 0, 512, 512),
    "moon": Photograph("moon.png", 0, 0, 512, 512),
    "motorcycle": Photograph("motorcycle_left.png", 0, 0, 500, 741),
    "retina": Photograph("retina.jpg", 230, 230, 950, 950),  # the square inside the disc
}
GRIDS = ((2, 5), (5, 2))  # ten blocks, rows x columns: two for each of five folds
LARGEST = 102  # px, 512 / 5: larger crops do not fit into a block
MEAN, STD = 128, 40  # grey levels of every crop; 3.2 standard deviations reach 0 and 255
LUMA = np.array([299, 587, 114])  # ITU-R BT.601, thousandths


class Textures(Source):
    """Grey crops of ten photographs: from which one was it cut?

    400 images of 64x64 px, 10 classes of 40: astronaut, brick, coffee (a cup on wood), grass, gravel, hubble
    (deep field), ihc (stained tissue), moon, motorcycle, retina. The photographs are those in the
    scikit-image wheel: public domain or CC0 where a licence is stated
    (https://scikit-image.org/docs/stable/api/skimage.data.html); motorcycle is from the Middlebury stereo set
    of 2014.

    Each photograph is divided into ten blocks, and crops of one block are a group (`brick/2`): training and
    test crops come from different parts of the photograph. Every crop has exactly the same grey levels, only
    their places differ (a normal distribution of mean 128 and standard deviation 40): brightness and colour
    alone tell nothing.
    Protocol: `{kfold: 5}`, mean and standard deviation over the folds.

    Source: Coltuc, Bolon & Chassery, "Exact histogram specification", IEEE Trans. Image Process. 15(5), 2006.
    """

    size: Annotated[int, Interval(ge=16, le=LARGEST)] = 64  # side of a crop, px; larger crops are fewer

    def load(self) -> Dataset:
        """The crops, not yet cut. Raises `DataError` if a photograph is missing, `SpecError` for the size."""
        if not 16 <= self.size <= LARGEST:
            raise SpecError(f"'size' of data set 'textures' is 16 to {LARGEST} px, got {self.size}")
        for photograph in PHOTOGRAPHS.values():
            shipped("skimage", f"data/{photograph.file}")
        blocks = {label: _blocks(photo, self.size) for label, photo in PHOTOGRAPHS.items()}
        count = min(len(block) for parts in blocks.values() for block in parts)
        ids, items, labels, groups = [], [], [], []
        for label, parts in blocks.items():
            for number, block in enumerate(parts):
                for row, column, top, left in _spread(block, count):
                    ids.append(f"{label}/{number:02d}_r{row}c{column}")
                    items.append(Crop(label, top, left, self.size))
                    labels.append(label)
                    groups.append(f"{label}/{number}")
        note = "grey crops of photographs from the scikit-image wheel, all with the same histogram"
        return Dataset("textures", Images(ids, items), np.array(labels), np.array(groups), note=note)


@dataclass(frozen=True)
class Crop:
    """A square of a photograph, cut when it is read."""

    label: str
    top: int
    left: int
    size: int

    def read(self) -> np.ndarray:
        """(size, size, 3) uint8, three equal channels. Raises `BadImage`."""
        grey = _grey(self.label)[self.top : self.top + self.size, self.left : self.left + self.size]
        if grey.shape != (self.size, self.size):
            raise BadImage(f"the photograph '{self.label}' is smaller than expected")
        return np.repeat(same_histogram(grey)[..., None], 3, axis=2)

    def token(self) -> str:
        """SHA-1 of the pixels."""
        return hashlib.sha1(self.read().tobytes(), usedforsecurity=False).hexdigest()


def same_histogram(grey: np.ndarray) -> np.ndarray:
    """(n, n) uint8 -> (n, n) uint8 with the same order of grey levels, but always the same histogram.

    Equal pixels are ordered by the sums over growing neighbourhoods (Coltuc et al. 2006, section III), then
    by place.
    """
    keys = np.zeros(grey.size, np.int64)
    for width in (1, 3, 5, 9):  # one number for all four: 8 + 12 + 13 + 15 bits
        keys = keys * (255 * width * width + 1) + _window_sums(grey, width).ravel()
    levels = np.empty(grey.size, np.uint8)
    levels[np.argsort(keys, kind="stable")] = _normal_levels(grey.size)
    return levels.reshape(grey.shape)


def _window_sums(grey: np.ndarray, width: int) -> np.ndarray:
    padded = np.pad(grey.astype(np.int32), width // 2, mode="edge")
    rows = np.add.reduce([padded[i : i + len(grey)] for i in range(width)])
    return np.add.reduce([rows[:, i : i + grey.shape[1]] for i in range(width)])


@lru_cache(maxsize=4)
def _normal_levels(count: int) -> np.ndarray:
    """(count,) uint8, sorted: the quantiles of a normal distribution."""
    normal = NormalDist(MEAN, STD)
    levels = [normal.inv_cdf((i + 0.5) / count) for i in range(count)]
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


@lru_cache(maxsize=len(PHOTOGRAPHS))  # safe with threads: at worst two decode the same photograph at first
def _grey(label: str) -> np.ndarray:
    """(H, W) uint8, read-only."""
    rgb = decode(read_bytes(shipped("skimage", f"data/{PHOTOGRAPHS[label].file}")))
    grey = ((rgb @ LUMA + 500) // 1000).astype(np.uint8)
    grey.setflags(write=False)
    return grey


def _blocks(photo: Photograph, size: int) -> list[list[tuple[int, int, int, int]]]:
    """Ten blocks, each with its crops as (row, column, top, left); rows and columns count inside it."""

    def crops(grid: tuple[int, int]) -> tuple[int, int]:
        return photo.height // grid[0] // size, photo.width // grid[1] // size

    down, across = max(GRIDS, key=lambda grid: crops(grid)[0] * crops(grid)[1])
    rows, columns = crops((down, across))
    corners = [
        (photo.top + i * (photo.height // down), photo.left + j * (photo.width // across))
        for i in range(down)
        for j in range(across)
    ]
    places = [(row, column) for row in range(rows) for column in range(columns)]
    return [[(r, c, top + r * size, left + c * size) for r, c in places] for top, left in corners]


def _spread(block: list[tuple[int, int, int, int]], count: int) -> list[tuple[int, int, int, int]]:
    """`count` crops spread over a block."""
    return [block[i] for i in np.linspace(0, len(block) - 1, count).round().astype(int)]
