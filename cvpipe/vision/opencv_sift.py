"""SIFT as OpenCV 5.0 does it, from one pyramid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from cvpipe.vision import scale_space
from cvpipe.vision.sift_layout import WIDTH


class Options(NamedTuple):
    most: int | None = None
    layers: int = 3
    contrast: float = 0.04
    edge: float = 10.0
    sigma: float = 1.6
    precise: bool = True


class Scratch:
    """Memory that is used again for the next image: fresh pages from the system would cost a third of the time."""

    def __init__(self) -> None:
        self._kept: dict[object, np.ndarray] = {}

    def floats(self, name: object, *shape: int) -> np.ndarray:
        """A float32 array with whatever is in it; the same memory for the same name."""
        count = math.prod(shape)
        if name not in self._kept or self._kept[name].size < count:
            self._kept[name] = np.empty(count, np.float32)
        return self._kept[name][:count].reshape(shape)


def _doubled(grey: np.ndarray, precise: bool, scratch: Scratch) -> np.ndarray:
    height, width = grey.shape
    size = 2 * width, 2 * height
    samples = scratch.floats("grey", height, width)
    samples[:] = grey
    out = scratch.floats("doubled", 2 * height, 2 * width)
    if not precise:
        return cv2.resize(samples, size, out, interpolation=cv2.INTER_LINEAR)
    half = np.array([[0.5, 0, 0], [0, 0.5, 0]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(samples, half, size, out, flags, cv2.BORDER_REFLECT)


def _octaves(grey: np.ndarray, options: Options, scratch: Scratch) -> Iterator[np.ndarray]:
    steps = scale_space.blurs(options.layers + 3, options.sigma, options.layers)
    first = np.sqrt(max(np.float32(options.sigma) ** 2 - np.float32(1), np.float32(0.01)))
    height, width = 2 * grey.shape[0], 2 * grey.shape[1]
    number = 0
    while min(height, width) > 10:
        octave = scratch.floats(("octave", number), options.layers + 3, height, width)
        if number:
            cv2.resize(before[options.layers], (width, height), octave[0], interpolation=cv2.INTER_NEAREST)
        else:
            cv2.GaussianBlur(_doubled(grey, options.precise, scratch), (0, 0), first, octave[0])
        for layer, step in enumerate(steps.tolist()):
            cv2.GaussianBlur(octave[layer], (0, 0), step, octave[layer + 1])
        yield octave
        height, width, before = height // 2, width // 2, octave
        number += 1


def features(grey: np.ndarray, options: Options, scratch: Scratch) -> tuple[np.ndarray, np.ndarray]:
    """(m, 5) x, y, sigma px, angle, response and (m, 128) descriptors; strongest first."""
    from cvpipe.vision import _opencv_octave
    from cvpipe.vision._sift_histogram import SPARE

    least = 255 * options.contrast / options.layers
    limit = np.nextafter(np.float32(np.floor(least / 2)), np.float32(np.inf))
    tables, maps, shapes = [np.empty((0, 6), np.float32)], [], []
    for octave in _octaves(grey, options, scratch):
        layers, height, width = octave.shape
        dog = np.subtract(octave[1:], octave[:-1], scratch.floats("differences", layers - 1, height, width))
        gradients = scratch.floats(("gradients", len(maps)), options.layers, 2, height * width + SPARE)
        tables.append(
            _opencv_octave.keypoints(
                octave, dog, limit, least, options.edge, np.float32(options.sigma), gradients
            )
        )
        maps.append(gradients)
        shapes.append(octave.shape[1:])
    number = np.repeat(np.arange(-1, len(maps)), [len(t) for t in tables])
    table = np.concatenate(tables)
    places = table[:, 1:].copy()
    places[:, :3] *= np.exp2(number - 1).astype(np.float32)[:, None]
    order = _best(places, options.most)
    places, table, number = places[order], table[order], number[order]
    values = np.empty((len(order), WIDTH), np.uint8)
    for one in np.unique(number).tolist():
        rows = np.flatnonzero(number == one)
        values[rows] = _opencv_octave.descriptors(maps[one], shapes[one], table[rows])
    return places, values


def _best(places: np.ndarray, most: int | None) -> np.ndarray:
    """Rows, strongest first; of equally strong ones by y, x, sigma, angle; of equal ones one."""
    order = np.lexsort((places[:, 3], places[:, 2], places[:, 0], places[:, 1], -places[:, 4]))
    sorted_ = places[order, :4]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (sorted_[1:] != sorted_[:-1]).any(axis=1)
    return order[fresh][:most]
