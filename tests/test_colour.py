from __future__ import annotations

import colorsys
from typing import Any

import cv2
import numpy as np
import pytest

from cvpipe.vision.colour import in_space, lab

PIXELS = np.random.default_rng(0).integers(0, 256, (37, 41, 3), dtype=np.uint8)


def test_hls_is_that_of_python_and_of_opencv() -> None:
    image = PIXELS.copy()
    image[0] = np.arange(41, dtype=np.uint8)[:, None]  # greys
    got = in_space(image, "hls").reshape(-1, 3).astype(float)
    want = np.array([colorsys.rgb_to_hls(*pixel) for pixel in (image.reshape(-1, 3) / 255).tolist()])
    gap = np.abs(got - want * [256, 255, 255])
    gap[:, 0] = np.minimum(gap[:, 0], 256 - gap[:, 0])
    assert gap.max() <= 0.501
    by_opencv = cv2.cvtColor(image, cv2.COLOR_RGB2HLS_FULL).reshape(-1, 3).astype(float)
    wheel = np.abs(got - by_opencv)
    assert np.minimum(wheel, 256 - wheel).max() <= 2


@pytest.mark.parametrize("space", ["rgb", "hls", "lab"])
def test_a_colour_is_the_same_wherever_it_lies(space: Any) -> None:
    whole = in_space(PIXELS, space)
    alone = np.array(
        [[in_space(PIXELS[y : y + 1, x : x + 1], space)[0, 0] for x in range(41)] for y in range(37)]
    )
    np.testing.assert_array_equal(whole, alone)


def test_lab_is_that_of_scikit_image() -> None:
    from skimage.color import rgb2lab

    want = rgb2lab(PIXELS) * [2.55, 1, 1] + [0, 128, 128]
    assert np.abs(in_space(PIXELS, "lab") - want).max() < 2
    assert np.abs(lab(PIXELS) - rgb2lab(PIXELS)).max() < 0.6
