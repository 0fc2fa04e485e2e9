"""SIFT keypoints and descriptors, by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from cvpipe.data import Descriptors, Images, offsets_of
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.vision.sift_layout import WIDTH


class Sift(Stage):
    """Scale-invariant features: blobs of a scale space, described by histograms of gradient orientation.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`: 0.299 R + 0.587 G + 0.114 B. Gives (M, 128) uint8
    descriptors, which are OpenCV's exactly (whole numbers of 0 to 255), strongest first; equally strong ones
    by y, x, scale, angle. A place with several main orientations counts once for each. An image without a
    blob (flat, or a few pixels large) has no rows. Raises nothing.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 3 to 6.
    """

    max_keypoints: Count | None = 500  # keep at most so many for each image, the strongest; null keeps all
    octave_layers: Count = 3  # scales per octave; Lowe 2004, section 3.1
    contrast_threshold: Positive = 0.04  # blobs below it are dropped, of 1; OpenCV's (Lowe: 0.03)
    edge_threshold: Positive = 10.0  # largest ratio of the principal curvatures; Lowe 2004, section 4.1
    sigma: Positive = 1.6  # blur of the first scale, px; Lowe 2004, section 3.3
    precise_upscale: bool = True  # exact places; false, OpenCV's default, is 0.25 px off

    def transform(self, images: Images) -> Descriptors:
        """(H, W, 3) uint8 RGB images -> (M, 128) uint8 descriptors with places and scales in px."""
        found = [self._describe(image) for image in images]
        rows, values = [f[0] for f in found], [f[1] for f in found]
        places = np.concatenate([np.empty((0, 3), np.float32), *rows])
        return Descriptors(
            offsets=offsets_of([len(r) for r in rows]),
            values=np.concatenate([np.empty((0, WIDTH), np.uint8), *values]),
            xy=np.ascontiguousarray(places[:, :2]),
            scale=np.ascontiguousarray(places[:, 2]),
            size=np.array([f[2] for f in found], np.int32).reshape(-1, 2),
        )

    def _describe(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """(m, 3) x, y, sigma in px and (m, 128) descriptors, strongest first; height and width."""
        # A detector for each image: threads must not share an object of OpenCV's, and making one is free.
        sift = cv2.SIFT.create(
            self.max_keypoints or 0,
            self.octave_layers,
            self.contrast_threshold,
            self.edge_threshold,
            self.sigma,
            cv2.CV_8U,
            self.precise_upscale,
        )
        keypoints, values = sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
        if values is None:
            return np.empty((0, 3), np.float32), np.empty((0, WIDTH), np.uint8), image.shape[:2]
        # OpenCV gives the points in no declared order, and more than asked for where responses are equal.
        table = np.array([(*k.pt, k.size, k.angle, -k.response) for k in keypoints], np.float32)
        best = np.lexsort(table[:, [3, 2, 0, 1, 4]].T)[: self.max_keypoints]
        places = table[best, :3]
        places[:, 2] /= 2  # the size of a cv2.KeyPoint is a diameter of 2 sigma
        return places, values[best], image.shape[:2]
