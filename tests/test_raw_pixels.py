from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cvpipe.data import Images
from cvpipe.stages.features.raw_pixels import RawPixels


def test_a_pixel_is_the_mean_of_the_area_it_covers(noise: Callable[..., np.ndarray]) -> None:
    image = noise(24, 36)
    got = RawPixels(size=12, channels="rgb").transform(Images.from_arrays([image])).values
    want = image.reshape(12, 2, 12, 3, 3).mean(axis=(1, 3)) / 255
    np.testing.assert_allclose(got, want.reshape(1, -1), atol=0.5001 / 255)


def test_an_image_of_that_size_is_kept_as_it_is(noise: Callable[..., np.ndarray]) -> None:
    image = noise(8, 8, 1)
    got = RawPixels(size=8).transform(Images.from_arrays([image])).values
    np.testing.assert_array_equal(got, (image.ravel() / np.float32(255))[None])


def test_every_size_gives_the_same_width() -> None:
    images = Images.from_arrays(
        [np.full(shape, 51, np.uint8) for shape in [(1, 1), (1, 90), (70, 3), (64, 64)]]
    )
    got = RawPixels(size=16).transform(images).values
    np.testing.assert_array_equal(got, np.full((4, 256), np.float32(0.2)))
