"""SIFT descriptors at keypoints of any detector."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from cvpipe.data import Descriptors, Keypoints, offsets_of
from cvpipe.errors import RunError
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.vision import scale_space
from cvpipe.vision.sift_layout import WIDTH

SMALLEST = np.float32(0.1)
"""Scale that smaller ones are raised to, samples: their squares would hold no gradient at all."""


class SiftDescriptors(Stage):
    """Histograms of gradient orientation around keypoints, in a square turned by the angle of each.

    Takes keypoints of any detector; their images are decoded again and made grey by `cv2.cvtColor(RGB2GRAY)`. Gives
    (M, 128) uint8 descriptors in the order of the keypoints and, within, in OpenCV's order of numbers. A square is 12
    scales wide, seen in the layer of the scale space that is blurred most like the keypoint's scale; what lies outside
    of the image adds nothing. A keypoint in a flat neighbourhood has a row of zeros, an image without keypoints no
    rows. Angles below 0, which mean that the detector gives none, are replaced by the highest peak of the orientation
    histogram. Raises `RunError` for places, scales or angles that are not finite.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 5 and 6; Rey Otero &
    Delbracio, "Anatomy of the SIFT Method", IPOL 2014, section 4.
    """

    # Angles: the keypoints' own; the highest peak of each neighbourhood's histogram; or 0 (upright) for all.
    orientation: Literal["keypoint", "dominant", "upright"] = "keypoint"
    octave_layers: Count = 3  # layers per octave of the scale space; Lowe 2004, section 3.1
    sigma: Positive = 1.6  # blur of each octave's first layer, samples; Lowe 2004, section 3.3

    def transform(self, keypoints: Keypoints) -> Descriptors:
        """(M,) keypoints -> (M, 128) uint8 descriptors at the same places and scales in px."""
        if not all(np.isfinite(a).all() for a in (keypoints.xy, keypoints.scale, keypoints.angle)):
            raise RunError("keypoints need finite places, scales and angles", self.name)
        values = np.zeros((len(keypoints.xy), WIDTH), np.uint8)
        for image in np.flatnonzero(keypoints.counts).tolist():
            grey = cv2.cvtColor(keypoints.images[image], cv2.COLOR_RGB2GRAY)
            rows = keypoints.rows(image)
            values[rows] = self._describe(
                grey, keypoints.xy[rows], keypoints.scale[rows], keypoints.angle[rows]
            )
        return Descriptors(
            offsets=offsets_of(keypoints.counts),
            values=values,
            xy=keypoints.xy,
            scale=keypoints.scale,
            size=keypoints.size,
        )

    def _describe(self, grey: np.ndarray, xy: np.ndarray, scale: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """(m, 128) uint8 descriptors of m keypoints in an (H, W) uint8 image."""
        values = np.zeros((len(xy), WIDTH), np.uint8)
        count = scale_space.octave_count(*grey.shape)
        level, layer = scale_space.nearest_layer(scale, self.sigma, self.octave_layers, count)
        octaves = scale_space.gaussian_octaves(
            grey / np.float32(255), self.sigma, self.octave_layers, extra=1
        )
        for number, octave in zip(range(level.max() + 1), octaves, strict=False):
            step = np.float32(scale_space.step_of(number))
            for one in np.unique(layer[level == number]).tolist():
                rows = np.flatnonzero((level == number) & (layer == one))
                places = np.column_stack([xy[rows] / step, scale[rows] / step, angle[rows]])
                values[rows] = self._in_layer(octave[one], places)
        return values

    def _in_layer(self, samples: np.ndarray, places: np.ndarray) -> np.ndarray:
        """(m, 128) uint8 descriptors of rows of x, y, sigma (samples) and angle."""
        # Compiled: numba takes half a second to load.
        from cvpipe.vision import sift_descriptor, sift_orientation

        places[:, 2] = np.maximum(places[:, 2], SMALLEST)
        if self.orientation == "upright":
            places[:, 3] = 0
        asks = places[:, 3] < 0 if self.orientation == "keypoint" else np.full(len(places), True)
        if self.orientation != "upright" and asks.any():
            _, places[asks, 3] = sift_orientation.orientations(samples, places[asks, :3], only_highest=True)
        places[:, 3] %= np.float32(2 * np.pi)
        return sift_descriptor.descriptors(samples, places)
