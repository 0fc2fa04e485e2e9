"""SIFT keypoints and descriptors as OpenCV 5.0 has them, in six tenths of its time.

Pixels are blurred by OpenCV; extrema, orientations and descriptors are compiled here, all from one pyramid. Numbers are
those of `cv2.SIFT` up to rounding: sums run in another order. What OpenCV does is verified in the tests.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 3 to 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cvpipe.vision.opencv_pyramid import octaves
from cvpipe.vision.scale_space import differences, step_of
from cvpipe.vision.scratch import Scratch
from cvpipe.vision.sift_layout import WIDTH


class Options(NamedTuple):
    """Those of `cv2.SIFT.create`."""

    most: int | None  # keypoints of an image, the strongest; all without it
    layers: int  # per octave
    contrast: float  # least |D| times the layers, of grey values of 0 to 1
    edge: float  # largest ratio of the principal curvatures
    sigma: float  # blur of an octave's first layer, samples
    precise: bool  # places are not a quarter of a pixel off


class _Octave(NamedTuple):
    table: np.ndarray  # (m, 6) float32 layer, x, y, sigma (samples), angle, response
    gradients: np.ndarray  # of the layers, as `_opencv_octave` has them
    shape: tuple[int, int]


def features(grey: np.ndarray, options: Options, scratch: Scratch) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints of an (H, W) uint8 image and their descriptors, strongest first.

    Gives (m, 5) float32 rows of x, y, sigma (px), angle (rad in [0, 2 pi), from x towards y) and |D| of grey values
    of 0 to 1, and (m, 128) uint8. Equally strong ones are ordered by y, x, sigma, angle. Memory while it runs: about
    330 bytes for each pixel with three layers.
    """
    found = [
        _found(octave, number, options, scratch)
        for number, octave in enumerate(
            octaves(grey, options.sigma, options.layers, options.precise, scratch)
        )
    ]
    level = np.repeat(np.arange(len(found)), [len(octave.table) for octave in found])
    table = np.concatenate([np.empty((0, 6), np.float32), *(octave.table for octave in found)])
    places = table[:, 1:].copy()
    places[:, :3] *= np.asarray(step_of(level), np.float32)[:, None]
    order = _strongest(places, options.most)
    # In the order of the search, neighbours follow each other, whose gradients are in the processor's cache.
    search = np.argsort(order)
    values = np.empty((len(order), WIDTH), np.uint8)
    values[search] = _described(found, level[order[search]], table[order[search]])
    return places[order], values


def _found(octave: np.ndarray, number: int, options: Options, scratch: Scratch) -> _Octave:
    # Compiled: numba takes half a second to load.
    from cvpipe.vision import _opencv_octave

    layers, height, width = octave.shape
    dog = differences(octave, scratch.floats("differences", layers - 1, height, width))
    room = _opencv_octave.samples(height, width)
    gradients = scratch.floats(("gradients", number), options.layers, 2, room)
    thresholds = _opencv_octave.thresholds(options.contrast, options.layers, options.edge)
    table = _opencv_octave.keypoints(octave, dog, np.float32(options.sigma), thresholds, gradients)
    return _Octave(table, gradients, (height, width))


def _strongest(places: np.ndarray, most: int | None) -> np.ndarray:
    """Rows of x, y, sigma, angle, response in order; of keypoints that are equal only one."""
    x, y, sigma, angle, response = places.T
    order = np.lexsort((angle, sigma, x, y, -response))
    again = (places[order[1:]] == places[order[:-1]]).all(axis=1)
    return np.delete(order, 1 + np.flatnonzero(again))[:most]


def _described(found: list[_Octave], level: np.ndarray, table: np.ndarray) -> np.ndarray:
    """(m, 128) uint8 descriptors of keypoints in these octaves."""
    from cvpipe.vision import _opencv_octave

    values = np.empty((len(table), WIDTH), np.uint8)
    for one in np.unique(level).tolist():
        rows = level == one
        values[rows] = _opencv_octave.descriptors(found[one].gradients, found[one].shape, table[rows])
    return values
