"""Dense SIFT: gradient histograms on a grid, at several scales and in several colour spaces (PHOW)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from cvpipe.vision.sift_layout import WIDTH

Colour = Literal["grey", "rgb", "opponent", "hsv"]
CHANNELS: dict[Colour, int] = {"grey": 1, "rgb": 3, "opponent": 3, "hsv": 3}
"""Channels of a colour space, which are described one after the other."""

SPAN = 3
"""Bin sizes between the centres of the first and the last of four bins."""
MONOCHROME = 0.01
"""Grey added to the opponent channels, so that places without colour have a descriptor; VLFeat's vl_phow."""
TRUNCATE = 4
"""Where a Gaussian ends, in sigmas; scipy's and VLFeat's."""


@dataclass(frozen=True)
class DenseSift:
    """What decides the descriptors.

    Source: Bosch, Zisserman & Munoz, "Image classification using random forests and ferns", ICCV 2007, section 2
    (PHOW: dense SIFT at four scales, zero where there is no contrast); Vedaldi & Fulkerson, "VLFeat", ACM
    Multimedia 2010: the flat-window algorithm of vl_dsift, in which each bin is a triangular sum weighted by
    the mean of SIFT's Gaussian window over the bin.
    """

    step: int
    """Pixels between neighbours on the grid."""
    bin_sizes: Sequence[int]
    """px; one scale for each."""
    magnif: float
    """An image is smoothed by sigma = bin size / magnif."""
    window: float
    """Sigma of the Gaussian window over the descriptor, in bin sizes."""
    contrast_threshold: float
    """Descriptors of less contrast become zero: mean gradient per px, of 1."""


Describe = Callable[[np.ndarray, int, np.ndarray, np.ndarray, DenseSift, np.ndarray], Sequence[np.ndarray]]
"""What `describe_planes` is."""


def channels(image: np.ndarray, colour: Colour) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (C, H, W) float32, C of 1 or 3; grey, RGB, hue, saturation and value lie in [0, 1].

    Source: the opponent channels are those of van de Sande, Gevers & Snoek, "Evaluating color descriptors for object
    and scene recognition", PAMI 2010, section 3, in vl_phow's order, with grey for the third.
    """
    rgb = image.astype(np.float32) / np.float32(255)
    if colour == "rgb":
        return np.ascontiguousarray(rgb.transpose(2, 0, 1))
    if colour == "hsv":
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV) * np.array([1 / 360, 1, 1], np.float32)  # hue in degrees
        return np.ascontiguousarray(hsv.transpose(2, 0, 1))
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    if colour == "grey":
        return grey[None]
    red, green, blue = rgb.transpose(2, 0, 1)
    red_green, yellow_blue = (red - green) / np.sqrt(2), (red + green - 2 * blue) / np.sqrt(6)
    weak = MONOCHROME * grey
    return np.stack([grey, red_green + weak, yellow_blue + weak]).astype(np.float32)


def first_bins(length: int, bin_size: int, largest: int, step: int) -> np.ndarray:
    """(m,) int64 centres of the first bins along a side of `length` px, so that all scales share their centres.

    The grid of the largest bins starts at pixel 1. Where bin sizes are even and odd, centres differ by half a pixel.
    """
    start = int(1 + SPAN / 2 * (largest - bin_size))
    return np.arange(start, length - SPAN * bin_size, step)


def smooth(plane: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing of (H, W) float32; the image is mirrored at its border, with the border pixel twice."""
    side = window_side(sigma)
    return cv2.GaussianBlur(plane, (side, side), sigma, borderType=cv2.BORDER_REFLECT)


def window_side(sigma: float) -> int:
    """Pixels along a side of a Gaussian window of this sigma, odd."""
    return 2 * int(TRUNCATE * sigma + 0.5) + 1


def bin_weights(bin_size: int, window: float) -> np.ndarray:
    """(4,) float32: the mean of the Gaussian window over each bin along one side."""
    centres = bin_size * (np.arange(SPAN + 1) - SPAN / 2)
    places = np.arange(1 - bin_size, bin_size) - centres[:, None]
    return np.exp(-0.5 * (places / (bin_size * window)) ** 2).mean(axis=1).astype(np.float32)


def describe(
    plane: np.ndarray, bin_size: int, tops: np.ndarray, lefts: np.ndarray, window: float,
    values: np.ndarray, channel: int = 0,
) -> np.ndarray:  # fmt: skip
    """Write the descriptors of a smoothed (H, W) float32 plane to `values[:, channel]`, give their contrast.

    `tops` (r,) and `lefts` (c,): rows and columns of the centres of the first bins, not empty. `values`
    (r c, C, 128) float32 or uint8: unit length times 512, at most 255; uint8 drops the fraction. Contrast is (r c,)
    float32, in the unit of the plane per px.
    """
    from cvpipe.vision import _dense_sift_kernel as kernel  # compiles on first use; importing numba is slow

    contrast = np.empty(len(values), np.float32)
    weights = bin_weights(bin_size, window)
    kernel.describe(plane, bin_size, tops, lefts, weights, channel, values, contrast)
    return contrast


def describe_planes(
    planes: np.ndarray, bin_size: int, tops: np.ndarray, lefts: np.ndarray, how: DenseSift, values: np.ndarray
) -> list[np.ndarray]:
    """Smooth and `describe` each of the (C, H, W) float32 planes: fills `values`, gives C contrasts of (r c,)."""
    smoothed = [smooth(plane, bin_size / how.magnif) for plane in planes]
    return [describe(s, bin_size, tops, lefts, how.window, values, c) for c, s in enumerate(smoothed)]


def dense_sift(
    image: np.ndarray,
    how: DenseSift,
    colour: Colour,
    kind: type[np.generic],
    describe_with: Describe = describe_planes,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W, 3) uint8 RGB -> (m, 2) float32 centres x, y in px, (m,) bin sizes in px, (m, 128 C) descriptors.

    Scale after scale, each from top to bottom and from left to right. A descriptor is `kind`, float32 or uint8.
    `describe_with` does the work of `describe_planes`, elsewhere.
    """
    planes = channels(image, colour)
    planes -= planes[:, :1, :1]  # only differences count, and zeros stay exactly zero when they are smoothed
    found = [_one_scale(planes, size, how, colour, kind, describe_with) for size in how.bin_sizes]
    xy, values = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    sizes = np.repeat(np.array(how.bin_sizes, np.float32), [len(f[0]) for f in found])
    return xy, sizes, values.reshape(len(xy), len(planes) * WIDTH)


def _one_scale(
    planes: np.ndarray,
    bin_size: int,
    how: DenseSift,
    colour: Colour,
    kind: type[np.generic],
    describe_with: Describe,
) -> tuple[np.ndarray, np.ndarray]:
    """(m, 2) centres and (m, C, 128) descriptors of one bin size."""
    largest = max(how.bin_sizes)
    tops, lefts = (first_bins(length, bin_size, largest, how.step) for length in planes.shape[1:])
    centres = np.meshgrid(lefts + SPAN / 2 * bin_size, tops + SPAN / 2 * bin_size)
    xy = np.stack(centres, axis=-1).reshape(-1, 2).astype(np.float32)
    values = np.empty((len(xy), len(planes), WIDTH), kind)
    if len(xy):
        contrast = describe_with(planes, bin_size, tops, lefts, how, values)
        values[_counting(contrast, colour) < how.contrast_threshold] = 0
    return xy, values


def _counting(contrast: Sequence[np.ndarray], colour: Colour) -> np.ndarray:
    """The contrast that counts: of grey, of hsv's value, or the mean of red, green and blue; as vl_phow's."""
    if colour == "rgb":
        return np.mean(contrast, axis=0)
    return contrast[-1 if colour == "hsv" else 0]
