"""Images blurred more and more: the Gaussian scale space, to look at."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.options import Count, Positive
from cvpipe.stage import Stage
from cvpipe.stages.maps._octave import Octave, octave_of
from cvpipe.stages.maps._stacks import maps_of


class GaussianScaleSpace(Stage):
    """One octave of the Gaussian scale space of each image: the layers in which `dog_keypoints` looks for blobs.

    Takes RGB images, made grey by `cv2.cvtColor(RGB2GRAY)`. Gives octave_layers + 3 maps of grey values of 0 to 1,
    with samples 2^octave / 2 px apart from pixel (0, 0) on; map s is blurred by sigma 2^(s / octave_layers) samples. An
    image too small for the octave gives its last. Raises nothing.

    Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 3; Rey Otero &
    Delbracio, "Anatomy of the SIFT Method", IPOL 2014, section 2.
    """

    octave: Octave = 1  # 0 is the doubled image, 1 has the image's own resolution, 2 half of it, and so on
    octave_layers: Count = 3  # scales per octave; Lowe 2004, section 3.1
    sigma: Positive = 1.6  # blur of each octave's first layer, samples; Lowe 2004, section 3.3

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of octave_layers + 3 channels."""
        return maps_of(
            images,
            self.octave_layers + 3,
            lambda image: octave_of(image, self.octave, self.octave_layers, self.sigma),
        )
