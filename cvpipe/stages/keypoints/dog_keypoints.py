"""Keypoints at extrema of differences of Gaussians."""

from __future__ import annotations

import cv2
import numpy as np

from cvpipe.data import Images, Keypoints
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.keypoints._tables import keypoints_of
from cvpipe.vision import scale_space


class DogKeypoints(Stage):
    """Blobs of a scale space: extrema of differences of Gaussians, with their main orientations.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`: 0.299 R + 0.587 G + 0.114 B. Gives places to a fraction
    of a pixel, Gaussian sigmas of the blobs, and |D| of grey values of 0 to 1 as response, strongest first; equally
    strong ones by y, x, scale, angle. A place with several main orientations counts once for each. Nothing is found
    within 5 samples of an octave's border. An image without a blob (flat, or a few pixels large) has no rows. Memory
    while it runs: about 230 bytes for each pixel of an image. Raises nothing.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 3 to 5; Rey Otero &
    Delbracio, "Anatomy of the SIFT Method", IPOL 2014.
    """

    max_keypoints: Count | None = 500  # keep at most so many for each image, the strongest; null keeps all
    octave_layers: Count = 3  # scales per octave; Lowe 2004, section 3.1
    # Blobs with |D| below it / octave_layers are dropped, of grey values of 0 to 1; OpenCV's (Lowe: 0.03, undivided).
    contrast_threshold: Positive = 0.04
    edge_threshold: Positive = 10.0  # largest ratio of the principal curvatures; Lowe 2004, section 4.1
    sigma: Positive = 1.6  # blur of each octave's first layer, samples; Lowe 2004, section 3.3

    def transform(self, images: Images) -> Keypoints:
        """(H, W, 3) uint8 RGB images -> (M,) keypoints with places and scales in px."""
        return keypoints_of(images, self._find)

    def _find(self, image: np.ndarray, _: str) -> np.ndarray:
        """(m, 5) float32 x, y, scale (px), angle, response of an (H, W, 3) uint8 image, strongest first."""
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        # Octaves one after the other: the first one takes three quarters of the memory of all.
        octaves = scale_space.gaussian_octaves(grey / np.float32(255), self.sigma, self.octave_layers)
        found = [self._in_octave(octave, level) for level, octave in enumerate(octaves)]
        table = np.concatenate(found)
        x, y, scale, angle, response = table.T
        best = np.lexsort((angle, scale, x, y, -response))
        return table[best[: self.max_keypoints]]

    def _in_octave(self, octave: np.ndarray, level: int) -> np.ndarray:
        """(m, 5) float32 x, y, scale (px), angle, response of the keypoints of one octave."""
        # Compiled: numba takes half a second to load.
        from cvpipe.vision import dog_extrema, sift_orientation

        threshold = self.contrast_threshold / self.octave_layers
        found = dog_extrema.keypoints(scale_space.differences(octave), threshold, self.edge_threshold)
        found = self._strongest(found)
        sigma = np.float32(self.sigma) * np.exp2(found[:, 0] / np.float32(self.octave_layers))
        places = np.column_stack([found[:, 2], found[:, 1], sigma])
        step = np.float32(scale_space.step_of(level))
        _, layer = scale_space.nearest_layer(sigma * step, self.sigma, self.octave_layers, level + 1)
        parts = [np.empty((0, 5), np.float32)]
        for one in np.unique(layer).tolist():
            rows = np.flatnonzero(layer == one)
            picked, angle = sift_orientation.orientations(octave[one], places[rows])
            rows = rows[picked]
            parts.append(np.column_stack([places[rows] * step, angle, found[rows, 3]]))
        return np.concatenate(parts)

    def _strongest(self, found: np.ndarray) -> np.ndarray:
        """Without those that cannot be among the strongest of the image, in columns (layer, y, x, |D|)."""
        if self.max_keypoints is None or len(found) <= self.max_keypoints:
            return found
        weakest = np.partition(found[:, 3], -self.max_keypoints)[-self.max_keypoints]
        return found[found[:, 3] >= weakest]
