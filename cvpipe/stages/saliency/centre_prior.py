"""The middle of an image, whatever is there."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.options import Positive
from cvpipe.stage import Stage
from cvpipe.stages.saliency._maps import saliency_of
from cvpipe.vision import saliency


class CentrePrior(Stage):
    """Saliency as a Gaussian about the centre of the image: photographers put there what matters.

    Takes RGB images of any size. Gives a map of one channel, (H, W) float32 in (0, 1], at the image's own resolution,
    the same for all images of one size. Raises nothing.

    Source: Tatler, "The central fixation bias in scene viewing", Journal of Vision 2007; Judd, Ehinger, Durand &
    Torralba, "Learning to predict where humans look", ICCV 2009 (distance to the centre).
    """

    sigma: Positive = 0.25  # of the Gaussian, in parts of the height and of the width

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in (0, 1]."""
        return saliency_of(images, lambda image: saliency.centre_prior(image.shape, self.sigma))
