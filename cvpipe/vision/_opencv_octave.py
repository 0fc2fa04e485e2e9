"""Keypoints and descriptors of one octave as OpenCV 5.0 has them, compiled.

Gradients are computed once for the rows of a layer that some keypoint looks at, for orientations and descriptors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cvpipe.vision import sift_descriptor
from cvpipe.vision._opencv_gradients import gradient_row, orientations
from cvpipe.vision._sift_histogram import SPARE
from cvpipe.vision.compiled import compiled
from cvpipe.vision.dog_extrema import EARLY, refined
from cvpipe.vision.dog_refinement import OPENCV
from cvpipe.vision.sift_layout import DIRECTIONS, WIDTH
from cvpipe.vision.sift_orientation import BINS

WHITE = 255
"""Largest grey value."""
PER_DEGREE = np.float32(DIRECTIONS / 360)
"""Directions of a descriptor's histogram in a degree."""
REACH = 11
"""Sigmas above and below a keypoint that its descriptor sees, at most: 2.5 cells of 3 sigmas, turned by 45 degrees."""
MOST = BINS // 2
"""Orientations of a place at most: two of them are never side by side."""


def samples(height: int, width: int) -> int:
    """Room for one map of gradients of a layer."""
    return height * width + SPARE


def thresholds(contrast: float, layers: int, edge: float) -> tuple[np.float32, float, float]:
    """Of |D| at samples and of the refined |D|, both of grey values of 0 to 255; of the ratio of curvatures.

    OpenCV takes samples above a whole number, which is the same as from the next float32 on.
    """
    least = WHITE * contrast / layers
    limit = np.nextafter(np.float32(np.floor(EARLY * least)), np.float32(np.inf))
    return limit, least, edge


@compiled()
def _seen(found: np.ndarray, sigma: np.ndarray, layers: int, height: int) -> np.ndarray:
    """(layers, height): whether a keypoint looks at a row of a layer."""
    out = np.zeros((layers, height), np.bool_)
    for k in range(len(found)):
        layer, y, reach = int(found[k, 4]) - 1, int(found[k, 5]), int(REACH * sigma[k]) + 2
        out[layer, max(0, y - reach) : y + reach + 1] = True
    return out


@compiled()
def _gradients(octave: np.ndarray, seen: np.ndarray, out: np.ndarray) -> None:
    """Fill in magnitudes and angles of these rows of the layers from 1 on, (layers, 2, `samples`)."""
    height, width = octave.shape[1:]
    for s in range(len(seen)):
        layer = octave[s + 1]
        for i in range(1, height - 1):
            if seen[s, i]:
                row = slice(i * width, (i + 1) * width)
                gradient_row(layer[i - 1], layer[i], layer[i + 1], out[s, 0, row], out[s, 1, row])


@compiled()
def keypoints(
    octave: np.ndarray, dog: np.ndarray, sigma: np.float32, thresholds: tuple, gradients: np.ndarray
) -> np.ndarray:
    """(m, 6) float32 rows of layer, x, y, sigma (samples, with fractions), angle (rad), |D| of grey values of 0 to 1.

    `octave` is (n + 3, h, w), `dog` its (n + 2, h, w) differences, `sigma` the blur of its first layer. Fills in
    (n, 2, `samples`) `gradients`: magnitudes and angles (degrees), where descriptors of these keypoints need them.
    """
    layers, shape = len(gradients), octave.shape[1:]
    found = refined(dog, thresholds[0], thresholds[1], thresholds[2], OPENCV)
    scale = sigma * np.exp2(found[:, 0] / np.float32(layers))
    _gradients(octave, _seen(found, scale, layers, shape[0]), gradients)
    out = np.empty((len(found) * MOST, 6), np.float32)
    angles, n = np.empty(MOST, np.float32), 0
    for k in range(len(found)):
        layer = int(found[k, 4])
        maps = gradients[layer - 1, 0], gradients[layer - 1, 1]
        place = int(found[k, 6]), int(found[k, 5]), scale[k]
        for a in range(orientations(maps, shape, place, angles)):
            out[n, 0], out[n, 1], out[n, 2], out[n, 3] = layer, found[k, 2], found[k, 1], scale[k]
            out[n, 4], out[n, 5] = angles[a], found[k, 3] / np.float32(WHITE)
            n += 1
    return out[:n]


@compiled()
def descriptors(gradients: np.ndarray, shape: Any, table: np.ndarray) -> np.ndarray:
    """(m, 128) uint8 descriptors of rows of `keypoints` in an octave of (h, w); centred on the nearest samples."""
    out = np.empty((len(table), WIDTH), np.uint8)
    space = sift_descriptor.space_for(sift_descriptor.room(shape[0] * shape[1], table[:, 1:4]))
    place = np.empty(4, np.float32)
    for k in range(len(table)):
        layer = int(table[k, 0]) - 1
        place[0], place[1] = np.rint(table[k, 1]), np.rint(table[k, 2])
        place[2], place[3] = table[k, 3], table[k, 4]
        maps = gradients[layer, 0], gradients[layer, 1]
        sift_descriptor.describe(maps, shape, place, PER_DEGREE, space, out[k])
    return out
