"""What is brighter or darker than its surroundings, pixel by pixel."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.stage import Stage
from cvpipe.stages.saliency._maps import saliency_of
from cvpipe.vision import saliency


class FineGrained(Stage):
    """Saliency from differences between each pixel and squares around it of six sizes, by integral images.

    Takes RGB images of any size, made grey. Gives a map of one channel, (H, W) float32 in [0, 1], at the image's own
    resolution, by OpenCV. An image of one grey gives zeros. Raises nothing.

    Source: Montabone & Soto, "Human detection using a mobile platform and novel features derived from a visual saliency
    mechanism", Image and Vision Computing 2010; OpenCV's StaticSaliencyFineGrained.
    """

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in [0, 1]."""
        return saliency_of(images, saliency.fine_grained)
