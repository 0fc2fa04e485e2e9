from __future__ import annotations

import cv2
import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.stages.maps.dog_maps import DogMaps
from cvpipe.stages.maps.gaussian_scale_space import GaussianScaleSpace
from cvpipe.vision import scale_space


def blob(height: int, width: int, x: float, y: float, sigma: float) -> np.ndarray:
    """A Gaussian of unit height around (x, y)."""
    rows, columns = np.mgrid[:height, :width]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2)).astype(np.float32)


def moments(image: np.ndarray) -> tuple[float, float, float]:
    """x, y and sigma of a blob, samples."""
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    weights = image.astype(np.float64) / image.sum()
    x, y = (weights * columns).sum(), (weights * rows).sum()
    return x, y, np.sqrt((weights * ((columns - x) ** 2 + (rows - y) ** 2)).sum() / 2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (2, 2), (13, 8)])
def test_doubling_is_bilinear_and_shifts_nothing(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).random(shape, dtype=np.float32)
    height, width = shape
    y, x = np.mgrid[: 2 * height, : 2 * width].astype(np.float32) / 2
    want = cv2.remap(grey, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(scale_space.doubled(grey), want, atol=1e-6)
    np.testing.assert_array_equal(scale_space.doubled(grey)[::2, ::2], grey)


def test_wider_than_remapping_can() -> None:
    assert scale_space.doubled(np.ones((2, 40_000), np.float32)).shape == (4, 80_000)


def test_every_layer_is_blurred_as_much_as_it_says_and_lies_where_the_image_does() -> None:
    sigma = 6.0
    octaves = list(scale_space.gaussian_octaves(blob(201, 241, 130, 90, sigma), sigma=1.6, per_octave=3))
    assert [o.shape for o in octaves[:3]] == [(6, 402, 482), (6, 201, 241), (6, 101, 121)]
    for level, octave in enumerate(octaves[:3]):
        step = scale_space.step_of(level)
        for layer, samples in enumerate(octave):
            x, y, got = moments(samples)
            added = (1.6 * 2 ** (layer / 3) * step) ** 2 - scale_space.CAMERA_BLUR**2
            np.testing.assert_allclose(got * step, np.sqrt(sigma**2 + added), rtol=0.01)
            np.testing.assert_allclose([x * step, y * step], [130, 90], atol=0.05)


def test_layers_of_two_octaves_with_the_same_blur_agree() -> None:
    grey = blob(64, 80, 40, 30, 3)
    first, second = list(scale_space.gaussian_octaves(grey, per_octave=2))[:2]
    assert first.shape[0] == 5
    np.testing.assert_allclose(first[2, ::2, ::2], second[0], atol=1e-7)
    np.testing.assert_allclose(first[4, ::2, ::2], second[2], atol=2e-3)


def test_fewer_layers_are_the_same_layers() -> None:
    grey = np.random.default_rng(1).random((40, 50), dtype=np.float32)
    few = scale_space.gaussian_octaves(grey, extra=1)
    for octave, part in zip(scale_space.gaussian_octaves(grey), few, strict=True):
        np.testing.assert_array_equal(octave[:4], part)


def test_a_first_blur_below_that_of_the_camera_leaves_the_doubled_image() -> None:
    grey = np.random.default_rng(1).random((20, 30), dtype=np.float32)
    octave = next(scale_space.gaussian_octaves(grey, sigma=0.9))
    np.testing.assert_array_equal(octave[0], scale_space.doubled(grey))


@pytest.mark.parametrize(
    ("shape", "octaves"), [((1, 1), 1), ((1, 5000), 1), ((10, 10), 1), ((11, 300), 2), ((512, 512), 7)]
)
def test_octaves_end_before_they_are_too_small(shape: tuple[int, int], octaves: int) -> None:
    assert scale_space.octave_count(*shape) == octaves
    found = list(scale_space.gaussian_octaves(np.zeros(shape, np.float32)))
    assert len(found) == octaves
    assert octaves == 1 or min(found[-1].shape[1:]) >= scale_space.SMALLEST_SIDE


def test_differences_of_neighbouring_layers() -> None:
    octave = np.random.default_rng(2).random((6, 9, 7), dtype=np.float32)
    np.testing.assert_array_equal(scale_space.differences(octave), np.diff(octave, axis=0))


def test_the_nearest_layer_is_nearest() -> None:
    sigma, per_octave, octaves = 1.6, 3, 4
    scale = np.exp(np.random.default_rng(3).uniform(np.log(0.95), np.log(12), 200)).astype(np.float32)
    octave, layer = scale_space.nearest_layer(scale, sigma, per_octave, octaves)
    levels, layers = np.meshgrid(np.arange(octaves), np.arange(1, per_octave + 1), indexing="ij")
    blur = sigma * 2 ** (layers / per_octave) * scale_space.step_of(levels)
    distance = np.abs(np.log(scale[:, None] / blur.ravel()))
    best = distance.argmin(axis=1)
    np.testing.assert_array_equal(octave, levels.ravel()[best])
    np.testing.assert_array_equal(layer, layers.ravel()[best])


def test_scales_outside_of_the_scale_space_have_its_ends() -> None:
    octave, layer = scale_space.nearest_layer(np.float32([0, 0.1, 0.8, 1e9]), 1.6, 3, 2)
    assert octave.tolist() == [0, 0, 0, 1]
    assert layer.tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize("octave", [0, 1, 2])
def test_maps_are_an_octave_and_its_differences(octave: int) -> None:
    image = np.random.default_rng(4).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    images = Images.from_arrays([image, image[:1, :1]])
    layers = GaussianScaleSpace(octave=octave).transform(images)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / np.float32(255)
    want = list(scale_space.gaussian_octaves(grey))[octave]
    assert layers.size.tolist() == [list(want.shape[1:]), [2, 2]]
    np.testing.assert_array_equal(layers.stack(0), np.moveaxis(want, 0, -1))
    dog = DogMaps(octave=octave).transform(images)
    np.testing.assert_array_equal(dog.stack(0), np.diff(layers.stack(0), axis=2))


def test_a_bright_blob_is_a_minimum_of_the_difference_of_its_scale() -> None:
    sigma = 1.6 * 2 ** (2 / 3)
    image = (255 * blob(61, 71, 40, 30, sigma * 2 ** (1 / 6))).astype(np.uint8)
    dog = DogMaps().transform(Images.from_arrays([image])).stack(0)
    assert np.unravel_index(dog.argmin(), dog.shape) == (30, 40, 2)
