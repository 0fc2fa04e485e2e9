from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from cvpipe.data import Descriptors, Images
from cvpipe.stages.descriptors.sift import Sift


def blobs(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A blurred random image, full of blobs."""
    noise = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 3)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def by_opencv(image: np.ndarray, precise: bool) -> list[tuple[float, ...]]:
    """Rows (x, y, sigma, descriptor...) of a plain float SIFT without a limit."""
    sift = cv2.SIFT_create(enable_precise_upscale=precise)
    found, values = sift.detectAndCompute(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), None)
    return [(*p.pt, p.size / 2, *v, p.response) for p, v in zip(found, values, strict=True)]


def assert_rows_of_opencv(got: Descriptors, image: np.ndarray, precise: bool) -> None:
    """As many rows, each with one of OpenCV's at the same place; numbers differ by 1 at most, and hardly ever."""
    rows = np.column_stack([got.xy, got.scale, got.values.astype(np.float32)])
    want = np.array(by_opencv(image, precise), np.float32)[:, :-1]
    assert len(rows) == len(want) > 50
    _, pair = cKDTree(want).query(rows)
    assert len(np.unique(pair)) == len(want)
    np.testing.assert_allclose(rows[:, :3], want[pair, :3], rtol=5e-6)
    apart = np.abs(rows[:, 3:] - want[pair, 3:])
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 3e-4


@pytest.mark.parametrize("precise", [True, False])
def test_all_rows_are_those_of_opencv_and_uint8_loses_nothing(precise: bool) -> None:
    image = blobs(96, 128)
    got = Sift(max_keypoints=None, precise_upscale=precise).transform(Images.from_arrays([image]))
    assert got.values.dtype == np.uint8
    assert_rows_of_opencv(got, image, precise)


def test_a_real_photograph_gives_the_rows_of_opencv(real_data: Callable[[str], Path]) -> None:
    path = real_data("ucmerced") / "buildings" / "buildings00.jpg"
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    got = Sift(max_keypoints=None).transform(Images.from_arrays([image]))
    assert_rows_of_opencv(got, image, True)


@pytest.mark.parametrize("limit", [1, 2, 3, 17, 20])
def test_the_strongest_are_kept_and_never_more_than_asked_for(limit: int) -> None:
    half = blobs(64, 48)
    image = np.concatenate([half, half[:, ::-1]], axis=1)  # a mirror image: many equal responses
    got = Sift(max_keypoints=limit).transform(Images.from_arrays([image]))
    everything = Sift(max_keypoints=None).transform(Images.from_arrays([image]))
    response = sorted((row[-1] for row in by_opencv(image, True)), reverse=True)
    assert len(set(response)) < len(response)
    assert len(got.values) == limit
    np.testing.assert_array_equal(got.values, everything.values[:limit])
    np.testing.assert_array_equal(got.xy, everything.xy[:limit])


def test_a_blob_lies_where_it_was_drawn_and_its_scale_is_a_sigma() -> None:
    y, x = np.mgrid[:101, :121]
    blob = 255 * np.exp(-((x - 70) ** 2 + (y - 40) ** 2) / (2 * 4.0**2))
    found = Sift().transform(Images.from_arrays([blob.astype(np.uint8)]))
    np.testing.assert_allclose(found.xy[0], [70, 40], atol=0.01)
    # The difference of Gaussians of sigma s and 2^(1/3) s answers a blob of sigma t most at s = t / 2^(1/6).
    np.testing.assert_allclose(found.scale[0], 4 / 2 ** (1 / 6), rtol=0.01)
    np.testing.assert_array_equal(found.size, [[101, 121]])
    biased = Sift(precise_upscale=False).transform(Images.from_arrays([blob.astype(np.uint8)]))
    np.testing.assert_allclose(biased.xy[0], [70.25, 40.25], atol=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 9), (3, 3), (5, 200), (16, 16)])
def test_tiny_and_flat_images_have_no_rows(shape: tuple[int, int]) -> None:
    found = Sift().transform(Images.from_arrays([np.full(shape, 90, np.uint8)]))
    assert found.values.shape == (0, 128)
    assert found.size.tolist() == [list(shape)]


def test_the_rows_of_an_image_do_not_depend_on_its_neighbours() -> None:
    images = Images.from_arrays([blobs(40, 60, seed) for seed in range(4)])
    together = Sift().transform(images)
    for i in range(4):
        alone = Sift().transform(images[i : i + 1])
        np.testing.assert_array_equal(together.values[together.rows(i)], alone.values)
