"""Where an image has contrast."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.options import Positive
from cvpipe.stage import Stage
from cvpipe.stages.saliency._maps import saliency_of
from cvpipe.vision import saliency


class GradientEnergy(Stage):
    """Saliency from the root of the mean squared gradient around each pixel, of all colour channels.

    Takes RGB images of any size. Gives a map of one channel, (H, W) float32 in [0, 1], of 1 for the image's largest, at
    the image's own resolution. A flat image gives zeros. Raises nothing.

    Source: Di Zenzo, "A note on the gradient of a multi-image", Computer Vision, Graphics, and Image Processing 1986:
    the trace of the colour structure tensor.
    """

    smoothing: Positive = 1.0  # sigma of the Gaussian before derivatives, px
    window: Positive = 4.0  # sigma of the Gaussian under which squares are averaged, px

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in [0, 1]."""
        return saliency_of(images, lambda image: saliency.gradient_energy(image, self.smoothing, self.window))
