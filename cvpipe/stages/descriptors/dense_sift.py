"""Dense SIFT descriptors at several scales (PHOW)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import MinLen

from cvpipe import device
from cvpipe.data import Descriptors, Images, offsets_of
from cvpipe.options import Count, NonNegative, Positive
from cvpipe.stage import Stage
from cvpipe.vision import dense_sift as maths
from cvpipe.vision.sift_layout import WIDTH

BIN_SIGMAS = 3
"""A bin of SIFT is 3 sigma wide (Lowe 2004, section 6.1), so scales are comparable with those of `sift`."""


def _describe_on_gpu() -> maths.Describe:
    from cvpipe.nets.dense_sift import describe

    return partial(describe, where="cuda")


class DenseSift(Stage):
    """SIFT descriptors on a grid, at several scales: the pyramid histograms of visual words' first half (PHOW).

    Takes RGB images, gives (M, 128) uint8 descriptors, with colour (M, 384), one channel after the other: unit
    length times 512, at most 255, the fraction dropped. Rows go scale after scale, from top to bottom and
    left to right. `scale` is bin size / 3, px. A place of too little contrast has an all-zero row. An image, or a
    scale, that is too small for a descriptor (3 bins and 1 px) has no rows. On a GPU torch computes the same numbers.
    Raises nothing.

    Grey values and positions are those of cyvlfeat 0.7.1's `phow` on an image in [0, 1]: the grid starts one pixel
    further in than that of VLFeat's `vl_phow` in MATLAB, whose `window` is 1.5. Colour is that of `vl_phow`;
    cyvlfeat's also smooths from channel to channel, and misplaces a bracket in the opponent channels.

    Source: Bosch, Zisserman & Munoz, "Image classification using random forests and ferns", ICCV 2007, section 2;
    Vedaldi & Fulkerson, "VLFeat", ACM Multimedia 2010: vl_phow, vl_dsift with a flat window.
    """

    step: Count = 4  # px between neighbours on the grid
    bin_sizes: Annotated[tuple[Count, ...], MinLen(1)] = (
        4,
        6,
        8,
        10,
    )  # px; one scale each, 4 x 4 bins; vl_phow's
    colour: maths.Colour = "grey"  # channels that are described; three make rows three times as long
    magnif: Positive = 6.0  # smoothing of an image: sigma = bin size / magnif; vl_phow's
    window: Positive = 2.0  # sigma of the Gaussian window over a descriptor, in bin sizes; vl_dsift's
    contrast_threshold: NonNegative = 0.005  # below it a row is zero; mean gradient per px, of 1; vl_phow's
    quantise: bool = True  # uint8; false gives float32 with the fraction, four times as large

    gpu_only = ("torch",)

    def transform(self, images: Images) -> Descriptors:
        """(H, W, 3) uint8 RGB images -> (M, 128) or (M, 384) uint8 or float32 descriptors."""
        options = (self.step, self.bin_sizes, self.magnif, self.window, self.contrast_threshold)
        how, kind = maths.DenseSift(*options), np.uint8 if self.quantise else np.float32
        work = _describe_on_gpu() if device.current() == "cuda" else maths.describe_planes
        found = [
            (*maths.dense_sift(image, how, self.colour, kind, work), image.shape[:2]) for image in images
        ]
        width = maths.CHANNELS[self.colour] * WIDTH
        bin_sizes = np.concatenate([np.empty(0, np.float32), *(f[1] for f in found)])
        return Descriptors(
            offsets=offsets_of([len(f[0]) for f in found]),
            values=np.concatenate([np.empty((0, width), kind), *(f[2] for f in found)]),
            xy=np.concatenate([np.empty((0, 2), np.float32), *(f[0] for f in found)]),
            scale=bin_sizes / np.float32(BIN_SIGMAS),
            size=np.array([f[3] for f in found], np.int32).reshape(-1, 2),
        )
