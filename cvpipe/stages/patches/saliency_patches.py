"""Patches where an image is salient."""

from __future__ import annotations

import math
from dataclasses import field
from typing import Annotated

import cv2
import numpy as np

from cvpipe.data import Images, Maps, Patches
from cvpipe.errors import RunError
from cvpipe.options import Count, Fraction, Seed
from cvpipe.stage import Part, Stage
from cvpipe.stages.patches._cut import Colour, corners_of, patches_of
from cvpipe.stages.saliency.context_aware import ContextAware
from cvpipe.vision.weighted_draw import weighted_draw

ROUNDING = 1e-9
"""Of a place: 0.07 of 100 places are 7, though the product is a little above that."""


def _context() -> ContextAware:
    return ContextAware(size=128)


class SaliencyPatches(Stage):
    """Windows drawn in proportion to saliency, or evenly from the most salient places, no place twice.

    Takes RGB images of any size. Gives up to `count` patches for each, (M, size, size, 3) uint8, in the order of the
    draw, with centres in px of the image. The saliency of a place is the mean of the map over the window. An image
    gives fewer patches where fewer places have any saliency: none if it has no salient region (a flat one) or is
    smaller than a patch. The draw of an image depends on the seed and its id only. Raises `RunError` for maps of
    several channels, and what the map's stage raises.

    Source: Zhang, Du & Zhang, "Saliency-guided unsupervised feature learning for scene classification", IEEE TGRS
    53(4), 2015.
    """

    size: Count = 8  # side of a patch, px
    count: Count = 100  # patches in each image
    # gives the map, one channel in [0, 1]; context_aware at 128 px unless another is named
    saliency: Annotated[Stage, Part(Images, Maps)] = field(default_factory=_context)
    # draw evenly from this share of the places, the most salient ones; null draws in proportion to saliency
    top: Fraction | None = None
    colour: Colour = "rgb"  # grey: three equal channels of 0.299 R + 0.587 G + 0.114 B
    seed: Seed = None  # of the draws

    def transform(self, images: Images) -> Patches:
        """(H, W, 3) uint8 RGB images -> (M, size, size, 3) uint8 patches and their centres, px."""
        names = images.ids
        return patches_of(images, self.size, self.colour, lambda image, row: self._find(image, names[row]))

    def _find(self, image: np.ndarray, name: str) -> np.ndarray:
        weights = window_means(self._map(image, name), image.shape[:2], self.size).ravel()
        if self.top is not None:
            weights = most_salient(weights, self.top)
        return corners_of(weighted_draw(weights, self.count, self.rng(name)), image, self.size)

    def _map(self, image: np.ndarray, name: str) -> np.ndarray:
        stack = self.saliency.transform(Images.from_arrays([image], [name])).stack(0)
        if stack.shape[2] != 1:
            said = f"saliency: must give one map for each image, but '{self.saliency.name}' gives {stack.shape[2]}"
            raise RunError(said, f"stage '{self.name}'")
        return stack[..., 0]


def window_means(saliency: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    """(h - size + 1, w - size + 1) float32 means of a map over every window of an (h, w) image.

    A map of another size is stretched over the image. Values below 0 count as 0; a window of zeros has the mean 0.
    """
    height, width = shape
    fitted = cv2.resize(np.maximum(saliency, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    line = np.full(size, 1 / size)
    means = cv2.sepFilter2D(fitted, cv2.CV_32F, line, line, anchor=(0, 0))
    return means[: height - size + 1, : width - size + 1]


def most_salient(weights: np.ndarray, share: float) -> np.ndarray:
    """(n,) 1.0 for the share of the places with the largest weights, rounded up, and for equals of the least of them.

    Places of weight 0 are never among them.
    """
    place = len(weights) - math.ceil(share * len(weights) - ROUNDING)
    least = np.partition(weights, place)[place]
    return ((weights >= least) & (weights > 0)).astype(np.float32)
