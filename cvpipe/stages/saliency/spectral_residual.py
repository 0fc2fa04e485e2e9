"""What is unexpected in the spectrum of an image."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.options import Count
from cvpipe.stage import Stage
from cvpipe.stages.saliency._maps import saliency_of
from cvpipe.vision import saliency


class SpectralResidual(Stage):
    """Saliency from the log spectrum less its local mean, with the phases kept: small objects before a regular ground.

    Takes RGB images of any size, made grey and stretched to a square. Gives a map of one channel, (H, W) float32 in
    [0, 1], at the image's own resolution, by OpenCV. An image of one grey gives zeros. Raises nothing.

    Source: Hou & Zhang, "Saliency detection: a spectral residual approach", CVPR 2007; OpenCV's
    StaticSaliencySpectralResidual.
    """

    size: Count = 64  # side of the square that the map is computed from, px; Hou 2007

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in [0, 1]."""
        return saliency_of(images, lambda image: saliency.spectral_residual(image, self.size))
