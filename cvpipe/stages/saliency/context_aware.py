"""What stands out from its surroundings, by patches that are like no other."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval, MinLen

from cvpipe.data import Images, Maps
from cvpipe.options import Count, Fraction, NonNegative
from cvpipe.stage import Stage
from cvpipe.stages.saliency._maps import saliency_of
from cvpipe.vision.context_saliency import ContextSaliency, context_saliency

Scale = Annotated[float, Interval(gt=0, le=1)]


class ContextAware(Stage):
    """Saliency of a place: how different the patch there is from the patches most like it, near ones above all.

    Takes RGB images of any size. Gives a map of one channel, (H, W) float32 in [0, 1], at the image's own resolution.
    Patches are compared in CIELab: the root mean square difference of L / 100, a / 255 and b / 255 is divided by 1 + 3
    times the distance of the places, of 1 for the longer side; d is its mean over the 64 nearest patches at the same
    scale, a half and a quarter of it. At each scale 1 - exp(-d) is stretched to [0, 1] and weakened away from places
    above 0.8; the map is the mean over scales. A flat image gives zeros, and so does one in which no two patches fit.
    Raises nothing.

    Source: Goferman, Zelnik-Manor & Tal, "Context-aware saliency detection", CVPR 2010 and PAMI 2012, sections 3.1 to
    3.3, equations 1 to 5.
    """

    size: Count = (
        250  # longer side at which the map is computed, px; larger images are reduced; as in the paper
    )
    patch: Count = 7  # side of a patch, px; section 3.1
    step: Count = 3  # px between patches; half overlapping, section 3.1
    neighbours: Count = 64  # most similar patches that count; section 3.1
    scales: Annotated[tuple[Scale, ...], MinLen(1)] = (1.0, 0.8, 0.5, 0.3)  # of `size`; section 3.2
    position_weight: NonNegative = 3.0  # c of equation 1; 0 forgets where patches lie
    focus: Fraction | None = 0.8  # saliency of a focus of attention, section 3.3; null does without

    def transform(self, images: Images) -> Maps:
        """(H, W, 3) uint8 RGB images -> maps of one channel, (H, W) float32 in [0, 1]."""
        options = {n: v for n, v in self.get_params(deep=False).items() if n != "size"}
        how = ContextSaliency(**options)

        def make(image: np.ndarray) -> np.ndarray:
            return context_saliency(image, how)

        return saliency_of(images, make, self.size)
