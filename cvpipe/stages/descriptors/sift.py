"""SIFT keypoints and descriptors, those of OpenCV."""

from __future__ import annotations

import cv2
import numpy as np

from cvpipe.data import Descriptors, Images, offsets_of
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.vision.opencv_sift import Options, features
from cvpipe.vision.scratch import Scratch
from cvpipe.vision.sift_layout import WIDTH


class Sift(Stage):
    """Scale-invariant features: blobs of a scale space, described by histograms of gradient orientation.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`: 0.299 R + 0.587 G + 0.114 B. Gives (M, 128) uint8
    descriptors (whole numbers of 0 to 255), strongest first; equally strong ones by y, x, scale, angle. Keypoints
    are those of `cv2.SIFT` but for the last digits of places and scales, descriptors within 1; more than 99.9 % of the
    numbers are the same. A place with several main orientations counts once for each. An image without a blob (flat,
    or a few pixels large) has no rows. Memory while it runs: about 330 bytes for each pixel of an image. Raises
    nothing.

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
        scratch = Scratch()
        found = [self._describe(image, scratch) for image in images]
        places = np.concatenate([np.empty((0, 5), np.float32), *(f[0] for f in found)])
        return Descriptors(
            offsets=offsets_of([len(f[0]) for f in found]),
            values=np.concatenate([np.empty((0, WIDTH), np.uint8), *(f[1] for f in found)]),
            xy=np.ascontiguousarray(places[:, :2]),
            scale=np.ascontiguousarray(places[:, 2]),
            size=np.array([f[2] for f in found], np.int32).reshape(-1, 2),
        )

    def _describe(
        self, image: np.ndarray, scratch: Scratch
    ) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
        """(m, 5) x, y, sigma in px and more, and (m, 128) descriptors, strongest first; height and width."""
        options = Options(
            self.max_keypoints,
            self.octave_layers,
            self.contrast_threshold,
            self.edge_threshold,
            self.sigma,
            self.precise_upscale,
        )
        places, values = features(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), options, scratch)
        return places, values, image.shape[:2]
