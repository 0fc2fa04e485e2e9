"""Differences of Gaussians, to look at."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.maps._octave import Octave, octave_of
from cvpipe.stages.maps._stacks import maps_of
from cvpipe.vision.scale_space import differences


class DogMaps(Stage):
    """One octave of differences of Gaussians of each image, whose extrema are the blobs of `dog_keypoints`.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives octave_layers + 2 maps of differences of grey values
    of 0 to 1, negative in bright blobs, with samples 2^octave / 2 px apart from pixel (0, 0) on; map s belongs to the
    scale sigma 2^(s / octave_layers) samples. An image too small for the octave gives its last. Raises nothing.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 3, equation 1.
    """

    octave: Octave = 1  # 0 is the doubled image, 1 has the image's own resolution, 2 half of it, and so on
    octave_layers: Count = 3  # scales per octave; Lowe 2004, section 3.1
    sigma: Positive = 1.6  # blur of each octave's first layer, samples; Lowe 2004, section 3.3

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of octave_layers + 2 channels."""
        return maps_of(
            images,
            self.octave_layers + 2,
            lambda image: differences(octave_of(image, self.octave, self.octave_layers, self.sigma)),
        )
