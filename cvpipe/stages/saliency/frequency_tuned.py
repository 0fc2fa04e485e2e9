"""What differs in colour from the whole image."""

from __future__ import annotations

from cvpipe.data import Images, Maps
from cvpipe.stage import Stage
from cvpipe.stages.saliency._maps import saliency_of
from cvpipe.vision import saliency


class FrequencyTuned(Stage):
    """Saliency from the distance of each smoothed colour to the mean colour of the image, in CIELab.

    Takes RGB images of any size. Gives a map of one channel, (H, W) float32, stretched to [0, 1], at the image's own
    resolution. A flat image gives zeros. Raises nothing.

    Source: Achanta, Hemami, Estrada & Süsstrunk, "Frequency-tuned salient region detection", CVPR 2009.
    """

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in [0, 1]."""
        return saliency_of(images, saliency.frequency_tuned)
