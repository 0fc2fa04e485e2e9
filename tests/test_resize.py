"""Another size for an image: means of areas along the axis that shrinks, whatever the other does."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.stages.features.raw_pixels import RawPixels
from cvpipe.stages.networks._frame import Frame
from cvpipe.vision.fit_square import fit_square
from cvpipe.vision.perceptual_hash import look
from cvpipe.vision.resize import resize
from cvpipe.vision.working_size import resized


def lines(height: int, width: int) -> np.ndarray:
    """Every second column is white: what shrinks it to less than half sees grey."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, ::2] = 255
    return image


SHRUNK: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda image: resized(image, 32),
    lambda image: fit_square(image, 32, "stretch"),
    Frame(32, 32, 3).pixels,
    look,
    lambda image: RawPixels(size=32, channels="rgb").transform(Images.from_arrays([image])).values * 255,
]


@pytest.mark.parametrize("shrink", SHRUNK)
def test_what_grows_along_one_axis_is_not_aliased_along_the_other(shrink: Callable[..., np.ndarray]) -> None:
    for image in (lines(20, 1024), lines(20, 1024).transpose(1, 0, 2).copy()):
        np.testing.assert_allclose(shrink(image), 127.5, atol=1)


@pytest.mark.parametrize("shape", [(20, 100), (100, 20), (9, 7), (64, 64), (32, 32)])
def test_one_axis_after_the_other(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    found = resize(image, 32, 32)
    assert found.shape == (32, 32, 3)
    grows, shrinks = min(shape) < 32, max(shape) > 32
    if not grows:
        np.testing.assert_array_equal(found, cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA))
    elif not shrinks:
        np.testing.assert_array_equal(found, cv2.resize(image, (32, 32), interpolation=cv2.INTER_LINEAR))
