"""Keypoints and descriptors of one octave, compiled, as OpenCV 5.0 has them."""

from __future__ import annotations

import numpy as np

from cvpipe.vision import sift_descriptor
from cvpipe.vision._opencv_gradients import gradient_row, orientations
from cvpipe.vision._sift_histogram import SPARE
from cvpipe.vision.compiled import compiled
from cvpipe.vision.dog_extrema import OPENCV, refined
from cvpipe.vision.sift_layout import DIRECTIONS, WIDTH
from cvpipe.vision.sift_orientation import BINS

PER_DEGREE = np.float32(DIRECTIONS / 360)
REACH = 12  # rows of a descriptor's square on both sides, sigmas: > 5/2 * 3 * sqrt(2)


@compiled()
def _needed(found: np.ndarray, sigma: np.ndarray, layers: int, height: int) -> np.ndarray:
    """(layers, height): whether a row of a layer is near a keypoint."""
    out = np.zeros((layers, height), np.bool_)
    for row in range(len(found)):
        y, reach = int(found[row, 5]), int(REACH * sigma[row])
        out[int(found[row, 4]) - 1, max(0, y - reach) : y + reach + 1] = True
    return out


@compiled()
def _gradients(octave: np.ndarray, needed: np.ndarray, out: np.ndarray) -> None:
    """(layers, 2, h w + spare) magnitudes and directions, 0 on the border, of the rows that are needed."""
    _, height, width = octave.shape
    layers = len(needed)
    for s in range(layers):
        layer, magnitude, degrees = octave[s + 1], out[s, 0], out[s, 1]
        for i in range(1, height - 1):
            if needed[s, i]:
                row = slice(i * width, (i + 1) * width)
                gradient_row(layer[i - 1], layer[i], layer[i + 1], magnitude[row], degrees[row])


@compiled()
def keypoints(
    octave: np.ndarray, dog: np.ndarray, limit: np.float32, threshold: float, ratio: float, base: np.float32, maps: np.ndarray
) -> np.ndarray:
    """(m, 6) layer, x, y, sigma, angle, response; gradients."""
    layers = len(octave) - 3
    shape = octave.shape[1:]
    found = refined(dog, limit, threshold, ratio, OPENCV)
    sigma = base * np.exp2(found[:, 0] / np.float32(layers))
    _gradients(octave, _needed(found, sigma, layers, shape[0]), maps)
    out = np.empty((len(found) * (BINS // 2), 6), np.float32)
    angles, place = np.empty(BINS, np.float32), np.empty(3, np.float32)
    total = 0
    for row in range(len(found)):
        layer = int(found[row, 4])
        place[0], place[1], place[2] = found[row, 6], found[row, 5], sigma[row]
        count = orientations((maps[layer - 1, 0], maps[layer - 1, 1]), shape, place, angles)
        for k in range(count):
            out[total, 0], out[total, 1], out[total, 2] = layer, found[row, 2], found[row, 1]
            out[total, 3], out[total, 4], out[total, 5] = sigma[row], angles[k], found[row, 3] / np.float32(255)
            total += 1
    return out[:total]


@compiled()
def descriptors(maps: np.ndarray, shape: tuple, table: np.ndarray) -> np.ndarray:
    out = np.empty((len(table), WIDTH), np.uint8)
    place = np.empty(4, np.float32)
    space = sift_descriptor.space_for(sift_descriptor.room(shape[0] * shape[1], table[:, 1:4]))
    for row in range(len(table)):
        layer = int(table[row, 0]) - 1
        place[0], place[1] = np.rint(table[row, 1]), np.rint(table[row, 2])
        place[2], place[3] = table[row, 3], table[row, 4]
        sift_descriptor.describe((maps[layer, 0], maps[layer, 1]), shape, place, PER_DEGREE, space, out[row])
    return out
