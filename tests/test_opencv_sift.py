"""Our SIFT in OpenCV's conventions against OpenCV's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from cvpipe.vision import gradient_angle
from cvpipe.vision.opencv_sift import Options, features
from cvpipe.vision.scratch import Scratch

Table = tuple[np.ndarray, np.ndarray]


def photograph(name: str) -> np.ndarray:
    """(H, W) uint8, one of those that scikit-image brings along."""
    from skimage import data

    image = getattr(data, name)()
    return image if image.ndim == 2 else cv2.cvtColor(image[..., :3], cv2.COLOR_RGB2GRAY)


def options(**changes: object) -> Options:
    defaults = Options(most=None, layers=3, contrast=0.04, edge=10.0, sigma=1.6, precise=True)
    return defaults._replace(**changes)


def ours(grey: np.ndarray, o: Options) -> Table:
    return features(np.ascontiguousarray(grey), o, Scratch())


def opencvs(grey: np.ndarray, o: Options) -> Table:
    """Rows of x, y, sigma, angle (rad), response and descriptors, in OpenCV's order."""
    sift = cv2.SIFT.create(o.most or 0, o.layers, o.contrast, o.edge, o.sigma, cv2.CV_8U, o.precise)
    found, values = sift.detectAndCompute(np.ascontiguousarray(grey), None)
    table = [(*p.pt, p.size / 2, np.deg2rad(p.angle), p.response) for p in found]
    if values is None:
        values = np.empty((0, 128), np.uint8)
    return np.array(table, np.float32).reshape(-1, 5), values


def points(table: np.ndarray) -> np.ndarray:
    """Places, scales and directions as points that are near each other if they mean the same."""
    direction = 3 * np.column_stack([np.cos(table[:, 3]), np.sin(table[:, 3])])
    return np.column_stack([table[:, :3], direction])


def assert_same(some: Table, others: Table) -> None:
    """The same keypoints up to the last digits; descriptors within 1, nearly all of them identical."""
    (a, a_values), (b, b_values) = some, others
    assert len(a) == len(b)
    assert len(a_values) == len(a)
    if len(a) == 0:
        return
    _, pair = cKDTree(points(b)).query(points(a))
    assert len(np.unique(pair)) == len(a)
    b, b_values = b[pair], b_values[pair]
    np.testing.assert_allclose(a[:, :3], b[:, :3], rtol=5e-6, atol=5e-6)
    turn = (a[:, 3] - b[:, 3] + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(turn, 0, atol=5e-5)
    np.testing.assert_allclose(a[:, 4], b[:, 4], rtol=1e-5)
    apart = np.abs(a_values.astype(int) - b_values)
    assert apart.max() <= 1
    assert np.mean(apart > 0) < 3e-4


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("name", ["camera", "chelsea", "coins", "rocket", "astronaut", "page", "gravel"])
def test_photographs(name: str, precise: bool) -> None:
    image, o = photograph(name), options(precise=precise)
    want = opencvs(image, o)
    assert len(want[0]) > 300
    assert_same(ours(image, o), want)


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": 1},
        {"layers": 2, "edge": 4.0},
        {"layers": 6},
        {"contrast": 0.001},
        {"contrast": 1e-9, "edge": 1e6},
        {"contrast": 0.1},
        {"edge": 1.5},
        {"sigma": 0.5, "contrast": 0.2},
        {"sigma": 0.8},
        {"sigma": 3.7, "precise": False},
    ],
)
def test_options(changes: dict[str, object]) -> None:
    image, o = photograph("coins"), options(**changes)
    want = opencvs(image, o)
    assert len(want[0]) > 20
    assert_same(ours(image, o), want)


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("most", [1, 17, 300, 100_000])
@pytest.mark.parametrize("name", ["camera", "coins"])
def test_the_strongest_are_those_of_opencv(name: str, most: int, precise: bool) -> None:
    image, o = photograph(name), options(most=most, precise=precise)
    found, (table, values) = ours(image, o), opencvs(image, o)
    x, y, sigma, angle, response = table.T  # of equal responses at the end OpenCV gives all
    order = np.lexsort((angle, sigma, x, y, -response))[:most]
    assert len(found[0]) == min(most, len(ours(image, options(precise=precise))[0]))
    assert_same(found, (table[order], values[order]))


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 2), (3, 3), (1, 400), (5, 200), (6, 6), (7, 300), (33, 47), (51, 101), (255, 257)]
)
def test_sizes(shape: tuple[int, int], precise: bool) -> None:
    image = photograph("gravel")[: shape[0], : shape[1]]
    o = options(precise=precise)
    want = opencvs(image, o)
    assert len(want[0]) > 0 or min(shape) < 8
    assert_same(ours(image, o), want)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (90, 70)])
def test_a_flat_image_has_none(shape: tuple[int, int]) -> None:
    places, values = ours(np.full(shape, 77, np.uint8), options())
    assert places.shape == (0, 5)
    assert values.shape == (0, 128)


def drawn(name: str) -> np.ndarray:
    """Images in which many samples are equal."""
    if name == "chess":
        return np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.full((20, 20), 255)).astype(np.uint8)
    if name == "mirror":
        half = photograph("camera")[:200, :200]
        return np.concatenate([half, half[:, ::-1]], axis=1)
    noise = np.random.default_rng(0).integers(0, 2, (40, 50), dtype=np.uint8) * 255
    return np.kron(noise, np.ones((6, 6), np.uint8))


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize("name", ["chess", "mirror", "blocks"])
def test_equal_neighbours_all_count(name: str, precise: bool) -> None:
    image, o = drawn(name), options(precise=precise)
    want = opencvs(image, o)
    assert len(want[0]) > 100
    assert_same(ours(image, o), want)


def test_order_is_by_response_then_place() -> None:
    x, y, sigma, angle, response = ours(drawn("mirror"), options())[0].T
    assert len(np.unique(response)) < len(response)
    order = np.lexsort((angle, sigma, x, y, -response))
    np.testing.assert_array_equal(order, np.arange(len(x)))


def test_memory_that_was_used_before_does_not_matter() -> None:
    scratch = Scratch()
    large, small = photograph("gravel"), photograph("coins")[:100, :120]
    for image in (small, large, small, large[:90, :300]):
        got = features(np.ascontiguousarray(image), options(), scratch)
        want = ours(image, options())
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_array_equal(got[1], want[1])


def test_the_angle_is_that_of_opencv() -> None:
    y, x = np.random.default_rng(1).normal(size=(2, 1000)).astype(np.float32)
    y[:4], x[:4] = [0, 0, 1, -1], [0, -1, 1, 0]
    got = [gradient_angle.atan2(b, a, gradient_angle.OPENCV) for b, a in zip(y, x, strict=True)]
    want = cv2.phase(x, y, angleInDegrees=True).ravel()
    np.testing.assert_allclose(np.array(got) % 360, want % 360, atol=1e-4)


@pytest.mark.slow
def test_a_hundred_photographs_from_the_air(real_data: Callable[[str], Path]) -> None:
    paths = sorted(real_data("ucmerced").glob("*/*.jpg"))[::20]
    assert len(paths) > 100
    for path in paths:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert_same(ours(image, options()), opencvs(image, options()))
