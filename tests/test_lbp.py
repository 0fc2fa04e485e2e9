from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.stages.features.lbp import Lbp
from cvpipe.vision.lbp import brighter, directed_codes, uniform_codes


def by_scikit_image(image: np.ndarray, radius: int, method: str) -> np.ndarray:
    """Codes where the whole circle lies inside the image."""
    from skimage.feature import local_binary_pattern

    codes = local_binary_pattern(image, 8 * radius, radius, method)
    return codes[radius:-radius, radius:-radius].astype(int)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_codes_are_those_of_scikit_image(radius: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 110), dtype=np.uint8)
    got = uniform_codes(brighter(image, 8 * radius, radius))
    # Where an interpolated neighbour equals the pixel, its rounding error decides in scikit-image.
    assert (got == by_scikit_image(image, radius, "uniform")).mean() > 0.999


@pytest.mark.parametrize("radius", [1, 2])
def test_directed_codes_are_those_of_scikit_image_by_other_names(radius: int) -> None:
    image = np.random.default_rng(1).integers(0, 256, (300, 300), dtype=np.uint8)
    got = directed_codes(brighter(image, 8 * radius, radius)).ravel()
    want = by_scikit_image(image, radius, "nri_uniform").ravel()
    pairs, counts = np.unique(np.stack([got, want]), axis=1, return_counts=True)
    name = {code: pairs[1, pairs[0] == code][counts[pairs[0] == code].argmax()] for code in np.unique(got)}
    assert len(set(name.values())) == len(name)
    assert len(name) > (50 if radius == 1 else 100)
    assert np.mean([name[code] == w for code, w in zip(got, want, strict=True)]) > 0.999


def test_histograms_of_a_photograph() -> None:
    from skimage.data import brick

    image = brick()[:128, :160]
    got = Lbp(radii=3).transform(Images.from_arrays([image])).values[0]
    want = []
    for radius in (1, 2, 3):
        codes = by_scikit_image(image, radius, "uniform")
        want.append(np.bincount(codes.ravel(), minlength=8 * radius + 2) / codes.size)
    np.testing.assert_allclose(got, np.concatenate(want), atol=2e-3)


def test_turning_the_image_changes_directed_patterns_only(noise: Callable[..., np.ndarray]) -> None:
    image = np.random.default_rng(2).integers(0, 256, (40, 40), dtype=np.uint8)
    images = Images.from_arrays([image, np.ascontiguousarray(image.T[::-1])])
    blind, sees = Lbp().transform(images).values, Lbp(rotation_invariant=False).transform(images).values
    np.testing.assert_allclose(blind[0], blind[1], atol=2e-3)
    assert np.abs(sees[0] - sees[1]).max() > 2e-3


def test_flat_images_have_one_pattern_and_tiny_ones_none() -> None:
    images = Images.from_arrays(
        [np.full((20, 20), 77, np.uint8), np.zeros((1, 1), np.uint8), np.zeros((5, 5), np.uint8)]
    )
    flat, one, five = Lbp(radii=3).transform(images).values
    assert np.flatnonzero(flat).tolist() == [8, 10 + 16, 28 + 24]  # all neighbours are at least as bright
    assert flat.sum() == 3
    assert not one.any()
    assert five.sum() == 2  # a circle of 3 px does not fit
