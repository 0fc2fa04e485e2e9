from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.spec import build_stage
from cvpipe.stages.features.glcm import Glcm
from cvpipe.vision.glcm import PROPERTIES, cooccurrence, properties

STEPS = [(0, 1), (1, 1), (1, 0), (1, -1)]


def by_scikit_image(level: np.ndarray, levels: int, step: tuple[int, int]) -> np.ndarray:
    """The table of one step (y, x), as an angle and a distance that round to it."""
    from skimage.feature import graycomatrix

    angle, distance = np.arctan2(*step), np.hypot(*step)
    return graycomatrix(level, [distance], [angle], levels, symmetric=True, normed=True)


@pytest.mark.parametrize("distance", [1, 3])
@pytest.mark.parametrize("levels", [8, 16])
def test_tables_and_properties_are_those_of_scikit_image(
    noise: Callable[..., np.ndarray], levels: int, distance: int
) -> None:
    from skimage.feature import graycoprops

    level = noise(40, 30, 1) // (256 // levels)
    tables = cooccurrence(level, levels, distance)
    got = properties(tables)
    for direction, (y, x) in enumerate(STEPS):
        want = by_scikit_image(level, levels, (y * distance, x * distance))
        np.testing.assert_allclose(tables[direction], want[..., 0, 0], atol=1e-12)
        for name, value in zip(PROPERTIES[:4], got[:4, direction], strict=True):
            np.testing.assert_allclose(value, graycoprops(want, name)[0, 0], rtol=1e-9)
        shares = want[want > 0]
        np.testing.assert_allclose(got[4, direction], -(shares * np.log2(shares)).sum(), rtol=1e-9)


def test_a_feature_is_a_mean_or_a_range_over_directions(noise: Callable[..., np.ndarray]) -> None:
    image = noise(33, 47, 1)
    got = Glcm(levels=8, distances=(1, 2)).transform(Images.from_arrays([image])).values[0]
    each = [properties(cooccurrence(image // 32, 8, d)) for d in (1, 2)]
    want = [[f.mean(axis=1), f.max(axis=1) - f.min(axis=1)] for f in each]
    np.testing.assert_allclose(got, np.ravel(want), rtol=1e-5, atol=1e-6)


def test_flat_and_tiny_images() -> None:
    images = Images.from_arrays(
        [np.full((9, 9), 40, np.uint8), np.zeros((1, 1), np.uint8), np.zeros((1, 5), np.uint8)]
    )
    flat, one, line = Glcm(distances=(1,)).transform(images).values
    assert flat.tolist() == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert not one.any()
    assert line.tolist() == flat.tolist()  # one direction of four has pairs


def test_distances_come_as_a_list_in_a_spec() -> None:
    assert build_stage("glcm", {"distances": [1, 3]}).get_params()["distances"] == (1, 3)


def test_directions_without_a_pair_do_not_count() -> None:
    """A flat image has homogeneity, energy and correlation 1 in each direction that there is, whatever its shape."""
    flat = [np.full(shape, 90, np.uint8) for shape in ((50, 50, 3), (1, 50, 3), (50, 1, 3))]
    values = Glcm(distances=(1,)).transform(Images.from_arrays(flat)).values
    np.testing.assert_allclose(values, np.tile([0, 1, 1, 1, 0, 0, 0, 0, 0, 0], (3, 1)), atol=1e-6)
