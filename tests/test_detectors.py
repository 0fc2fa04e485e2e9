from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from cvpipe.data import Images, Keypoints
from cvpipe.errors import RunError
from cvpipe.spec import build_stage, option_problems
from cvpipe.stages.keypoints.fast_keypoints import FastKeypoints
from cvpipe.stages.keypoints.grid_keypoints import GridKeypoints
from cvpipe.stages.keypoints.harris_keypoints import HarrisKeypoints
from cvpipe.stages.keypoints.random_keypoints import RandomKeypoints
from cvpipe.vision.harris import harris_response


def photograph() -> np.ndarray:
    from skimage.data import camera

    return camera()[100:292, 150:406]


def found(stage: str, image: np.ndarray, **options: object) -> Keypoints:
    return build_stage(stage, options).transform(Images.from_arrays([image]))


def test_fast_corners_are_those_of_opencv() -> None:
    image = photograph()
    got = found("fast_keypoints", image, max_keypoints=None, threshold=30)
    want = cv2.FastFeatureDetector.create(30).detect(image)
    assert len(want) > 100
    assert {(*p, r) for p, r in zip(got.xy.tolist(), got.response.tolist(), strict=True)} == {
        (*k.pt, k.response) for k in want
    }
    assert (np.diff(got.response) <= 0).all()
    few = found("fast_keypoints", image, max_keypoints=25, threshold=30)
    np.testing.assert_array_equal(few.xy, got.xy[:25])


def test_a_fast_response_is_the_largest_threshold() -> None:
    image = np.full((21, 21), 50, np.uint8)
    image[10, 8] = 130
    got = found("fast_keypoints", image)
    assert got.xy.tolist() == [[8, 10]]
    assert got.response.tolist() == [
        79
    ]  # the circle differs by more than 79 grey levels, not by more than 80
    assert len(found("fast_keypoints", image, threshold=79).xy)
    assert not len(found("fast_keypoints", image, threshold=80).xy)


@pytest.mark.parametrize("sigma", [1.5, 2.0])
def test_the_harris_response_is_that_of_scikit_image(sigma: float) -> None:
    from skimage.feature import corner_harris

    image = photograph()
    got = harris_response(image, sigma, 0.05)[20:-20, 20:-20]
    # scikit-image's gradient is a Sobel filter too, of twice our slope: the response has its fourth power.
    want = corner_harris(image.astype(float), k=0.05, sigma=sigma)[20:-20, 20:-20]
    ratio = float((got * want).sum() / (want * want).sum())
    np.testing.assert_allclose(got / ratio, want, atol=0.01 * np.abs(want).max())


def test_corners_of_a_square_lie_where_they_are() -> None:
    image = np.zeros((60, 80), np.uint8)
    image[20:40, 30:55] = 200
    got = found("harris_keypoints", image, sigma=1.0)
    corners = np.array([(30, 20), (54, 20), (30, 39), (54, 39)])
    assert len(got.xy) == 4
    gap = np.abs(got.xy[:, None] - corners).max(axis=2)
    assert sorted(gap.argmin(axis=1)) == [0, 1, 2, 3]
    assert gap.min(axis=1).max() <= 1
    assert got.scale.tolist() == [1] * 4
    assert got.angle.tolist() == [-1] * 4


def test_harris_keypoints_keep_their_distance_and_their_quality() -> None:
    got = found("harris_keypoints", photograph(), distance=5, quality=0.05, max_keypoints=None)
    assert len(got.xy) > 20
    gap = np.abs(got.xy[:, None] - got.xy).max(axis=2) + 1e3 * np.eye(len(got.xy))
    assert gap.min() > 5
    assert got.response.min() > 0.05 * got.response.max()
    assert (np.diff(got.response) <= 0).all()


def test_a_grid_is_centred_and_has_every_scale_at_every_place() -> None:
    images = Images.from_arrays([np.zeros((20, 33), np.uint8), np.zeros((1, 3), np.uint8)])
    got = GridKeypoints(step=8, scales=(1.0, 3.0)).transform(images)
    want = [(x, y, s) for y in (1, 9, 17) for x in (0, 8, 16, 24, 32) for s in (1, 3)] + [
        (1, 0, 1),
        (1, 0, 3),
    ]
    assert np.column_stack([got.xy, got.scale]).tolist() == [list(w) for w in want]
    assert got.counts.tolist() == [30, 2]
    assert build_stage("grid_keypoints", {"scales": [2, 4]}).get_params()["scales"] == (2, 4)


def test_random_places_depend_on_the_id_and_the_seed_only(noise: Callable[..., np.ndarray]) -> None:
    images = Images.from_arrays([noise(40, 60)] * 3, ids=["a", "b", "c"])
    stage = RandomKeypoints(count=50, seed=1)
    together, alone = stage.transform(images), stage.transform(images[1:2])
    np.testing.assert_array_equal(together.xy[together.rows(1)], alone.xy)
    assert not np.array_equal(together.xy[:50], together.xy[50:100])
    assert not np.array_equal(RandomKeypoints(count=50, seed=2).transform(images).xy, together.xy)


def test_random_places_are_spread_evenly() -> None:
    images = Images.from_arrays([np.zeros((31, 61), np.uint8)])
    got = RandomKeypoints(count=20_000, smallest=1, largest=4, seed=0).transform(images)
    assert got.xy.min() >= 0
    assert (got.xy <= [60, 30]).all()
    np.testing.assert_allclose(got.xy.mean(axis=0), [30, 15], rtol=0.02)
    np.testing.assert_allclose(got.xy.std(axis=0), np.array([60, 30]) / np.sqrt(12), rtol=0.02)
    assert abs(np.median(got.scale) - 2) < 0.05  # halfway in the logarithm
    with pytest.raises(RunError, match=r"'random_keypoints': smallest: 3 is above largest: 2"):
        RandomKeypoints(smallest=3, largest=2).transform(images)
    assert option_problems(RandomKeypoints(smallest=2, largest=2)) == []
    assert len(option_problems(RandomKeypoints(smallest=3, largest=2))) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (6, 6), (7, 7), (30, 2)])
def test_flat_and_tiny_images_have_no_corners(shape: tuple[int, int]) -> None:
    images = Images.from_arrays([np.full(shape, 90, np.uint8)])
    for stage in (FastKeypoints(), HarrisKeypoints()):
        assert stage.transform(images).counts.tolist() == [0]
