from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.spatial import cKDTree

from cvpipe.data import Images, Keypoints
from cvpipe.stages.keypoints.dog_keypoints import DogKeypoints
from cvpipe.vision import dog_extrema, dog_refinement, gradient_angle, sift_orientation


def photograph(name: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB, one of those that scikit-image brings along."""
    from skimage import data

    image = getattr(data, name)()
    return np.dstack([image] * 3) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def find(image: np.ndarray, **options: object) -> Keypoints:
    return DogKeypoints(**options).transform(Images.from_arrays([image]))  # type: ignore[arg-type]


def table(found: Keypoints) -> np.ndarray:
    return np.column_stack([found.xy, found.scale, found.angle, found.response])


def by_opencv(image: np.ndarray) -> np.ndarray:
    """Rows of x, y, sigma of OpenCV's SIFT with its own thresholds, which are those of the stage."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found = cv2.SIFT_create(enable_precise_upscale=True).detect(grey)
    return np.array([(*p.pt, p.size / 2) for p in found], np.float32)


def share_found(some: np.ndarray, others: np.ndarray) -> float:
    """Share of some keypoints that have another within 1.5 px and 20 % of scale."""
    near = cKDTree(others[:, :2]).query_ball_point(some[:, :2], 1.5)
    hits = [np.any(np.abs(others[n, 2] / one[2] - 1) <= 0.2) for n, one in zip(near, some, strict=True)]
    return float(np.mean(hits))


def assert_agrees_with_opencv(image: np.ndarray) -> None:
    ours, theirs = table(find(image, max_keypoints=None)), by_opencv(image)
    assert len(theirs) > 200
    assert share_found(theirs, ours) >= 0.9
    assert share_found(ours, theirs) >= 0.9


@pytest.mark.parametrize("name", ["camera", "chelsea", "rocket", "coins"])
def test_opencv_finds_the_same_in_photographs(name: str) -> None:
    assert_agrees_with_opencv(photograph(name))


@pytest.mark.parametrize("scene", ["graf", "boat", "leuven"])
def test_opencv_finds_the_same_in_oxford_scenes(scene: str, real_data: Callable[[str], Path]) -> None:
    image = cv2.imread(str(real_data("oxford-affine") / scene / "img1.png"), cv2.IMREAD_COLOR_RGB)
    assert_agrees_with_opencv(image)


def test_candidates_are_those_of_filters_over_26_neighbours() -> None:
    dog = np.random.default_rng(0).normal(size=(5, 40, 50)).astype(np.float32)
    extreme = (dog == maximum_filter(dog, 3)) & (dog > 1) | (dog == minimum_filter(dog, 3)) & (dog < -1)
    inside = np.zeros(dog.shape, bool)
    edge = dog_refinement.BORDER
    inside[1:-1, edge:-edge, edge:-edge] = True
    got = dog_extrema.candidates(dog, 1)
    assert (dog[tuple(got.T)] < 0).any()
    assert (dog[tuple(got.T)] > 0).any()
    np.testing.assert_array_equal(got, np.argwhere(extreme & inside))


@pytest.mark.parametrize("sign", [1, -1])
def test_of_equal_neighbours_one_counts(sign: int) -> None:
    dog = np.zeros((4, 20, 20), np.float32)
    dog[1:3, 9:11, 9:12] = sign
    assert dog_extrema.candidates(dog, 0.5).tolist() == [[2, 10, 11]]


def quadratic(centre: tuple[float, float, float], curvatures: tuple[float, float, float]) -> np.ndarray:
    """(5, 21, 21): 1 at `centre` (layer, y, x), falling with these curvatures and a little askew."""
    s, y, x = np.mgrid[:5, :21, :21].astype(np.float64)
    s, y, x = s - centre[0], y - centre[1], x - centre[2]
    a, b, c = curvatures
    return (1 - (a * s * s + b * y * y + c * x * x) / 2 - 0.01 * (s * y + y * x - s * x)).astype(np.float32)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_extremum_of_a_quadratic_is_found_exactly(sign: int) -> None:
    centre = (2.3, 9.8, 11.45)
    found = dog_extrema.keypoints(sign * quadratic(centre, (0.1, 0.08, 0.06)), 0.5, 10)
    np.testing.assert_allclose(found, [[*centre, 1]], atol=1e-4)


def test_contrast_is_that_of_the_refined_value() -> None:
    dog = quadratic((2.4, 10.4, 10.4), (0.3, 0.3, 0.3))
    assert dog[2, 10, 10] < 0.95
    assert len(dog_extrema.keypoints(dog, 0.99, 10)) == 1
    assert len(dog_extrema.keypoints(dog, 1.01, 10)) == 0


@pytest.mark.parametrize(("ratio", "kept"), [(8, 1), (12, 0)])
def test_edges_are_those_with_too_unlike_curvatures(ratio: float, kept: int) -> None:
    dog = quadratic((2.0, 10.0, 10.0), (0.1, 0.2, 0.2 / ratio))
    assert len(dog_extrema.keypoints(dog, 0.5, 10)) == kept


@pytest.mark.parametrize("bright", [True, False])
def test_a_blob_lies_where_it_was_drawn_and_its_scale_is_a_sigma(bright: bool) -> None:
    y, x = np.mgrid[:101, :121]
    blob = 255 * np.exp(-((x - 70.5) ** 2 + (y - 40.25) ** 2) / (2 * 4.0**2))
    found = find((blob if bright else 255 - blob).astype(np.uint8))
    np.testing.assert_allclose(found.xy[0], [70.5, 40.25], atol=0.05)
    # The difference of Gaussians of sigma s and 2^(1/3) s answers a blob of sigma t most at s = t / 2^(1/6).
    np.testing.assert_allclose(found.scale[0], 4 / 2 ** (1 / 6), rtol=0.01)
    np.testing.assert_array_equal(found.size, [[101, 121]])


def test_the_fast_angle_is_an_angle() -> None:
    y, x = np.random.default_rng(1).normal(size=(2, 1000)).astype(np.float32)
    got = [gradient_angle.atan2(b, a) for b, a in zip(y, x, strict=True)]
    np.testing.assert_allclose(got, np.arctan2(y, x), atol=2e-5)
    sides = [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)]
    got = [gradient_angle.atan2(np.float32(b), np.float32(a)) for b, a in sides]
    np.testing.assert_allclose(got, [math.atan2(b, a) for b, a in sides], atol=2e-5)


@pytest.mark.parametrize("degrees", [0, 3, 45, 90, 137, 180, 259, 270, 359])
def test_the_orientation_of_a_slope_is_its_direction(degrees: int) -> None:
    y, x = np.mgrid[:64, :64].astype(np.float32)
    slope = math.cos(math.radians(degrees)) * x + math.sin(math.radians(degrees)) * y
    rows, angles = sift_orientation.orientations(
        slope.astype(np.float32), np.float32([[31.3, 30.6, 2], [1, 62, 2]])
    )
    assert rows.tolist() == [0, 1]
    # All weight is in one bin of 10 degrees, so its middle is what is found.
    assert np.all(np.abs((np.degrees(angles) - degrees + 180) % 360 - 180) <= 5)
    assert np.all((angles >= 0) & (angles < 2 * np.pi))


def main_directions(image: np.ndarray, x: float, y: float, sigma: float) -> list[float]:
    """Lowe 2004, section 5, word for word: degrees of the peaks of the histogram, ascending by bin."""
    gy, gx = np.gradient(image.astype(np.float64))
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    square = (np.abs(columns - x) <= 4.5 * sigma) & (np.abs(rows - y) <= 4.5 * sigma)
    square[[0, -1]] = square[:, [0, -1]] = False
    weight = np.hypot(gx, gy) * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (1.5 * sigma) ** 2))
    bins = np.rint(np.degrees(np.arctan2(gy, gx)) / 10).astype(int) % 36
    histogram = np.bincount(bins[square], weight[square], minlength=36)
    histogram = sum(w * np.roll(histogram, s) for s, w in zip(range(-2, 3), (1, 4, 6, 4, 1), strict=True))
    found = []
    for here, (a, b, c) in enumerate(
        zip(np.roll(histogram, 1), histogram, np.roll(histogram, -1), strict=True)
    ):
        if b >= 0.8 * histogram.max() and b > a and b > c:
            low, _, top = np.polyfit([-1, 0, 1], [a, b, c], 2)[[0, 2, 1]]
            found.append((here - top / (2 * low)) * 10 % 360)
    return found


def test_every_orientation_above_four_fifths_counts() -> None:
    noise = np.random.default_rng(5).random((90, 110)).astype(np.float32)
    image = cv2.GaussianBlur(noise, (0, 0), 2)
    places = np.random.default_rng(6).uniform([0, 0, 1.6], [109, 89, 3.2], (60, 3)).astype(np.float32)
    want = [main_directions(image, *place) for place in places.tolist()]
    assert max(map(len, want)) > 1
    rows, angles = sift_orientation.orientations(image, places)
    np.testing.assert_array_equal(rows, np.repeat(np.arange(60), [len(w) for w in want]))
    apart = (np.degrees(angles) - np.concatenate(want) + 180) % 360 - 180
    assert np.abs(apart).max() < 0.5
    rows, highest = sift_orientation.orientations(image, places, only_highest=True)
    assert rows.tolist() == list(range(60))
    one = np.array([len(w) == 1 for w in want])
    firsts = np.array([w[0] for w in want])
    np.testing.assert_allclose(np.degrees(highest)[one], firsts[one], atol=0.5)


def test_a_flat_place_has_the_angle_zero() -> None:
    rows, angles = sift_orientation.orientations(
        np.ones((9, 9), np.float32), np.float32([[4, 4, 2], [0, 0, 1]])
    )
    assert rows.tolist() == [0, 1]
    assert angles.tolist() == [0, 0]


def test_a_turned_image_has_turned_keypoints() -> None:
    image = photograph("camera")[100:301, 150:351]
    here, turned = table(find(image)), table(find(np.rot90(image, -1)))
    # A quarter turn clockwise: (x, y) goes to (height - 1 - y, x), and angles grow by a quarter.
    here[:, :2] = np.column_stack([200 - here[:, 1], here[:, 0]])
    here[:, 3] += np.float32(np.pi / 2)
    pairs = cKDTree(turned[:, :3]).query(here[:, :3])
    assert np.mean(pairs[0] < 0.1) > 0.95
    apart = (turned[pairs[1], 3] - here[:, 3] + np.pi) % (2 * np.pi) - np.pi
    assert np.median(np.abs(apart)) < 0.02


@pytest.mark.parametrize("limit", [1, 2, 17, 60])
def test_the_strongest_are_kept_and_never_more_than_asked_for(limit: int) -> None:
    half = photograph("camera")[100:228, 200:328]
    image = np.concatenate([half, half[:, ::-1]], axis=1)  # a mirror image: many equal responses
    everything, got = find(image, max_keypoints=None), find(image, max_keypoints=limit)
    assert len(everything.xy) > 60
    x, y, scale, angle, response = table(everything).T
    assert len(np.unique(response)) < len(response)
    np.testing.assert_array_equal(np.lexsort((angle, scale, x, y, -response)), np.arange(len(response)))
    np.testing.assert_array_equal(table(got), table(everything)[:limit])


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (1, 900), (3, 3), (5, 200), (16, 16)])
def test_tiny_and_flat_images_have_no_rows(shape: tuple[int, int]) -> None:
    found = find(np.full(shape, 90, np.uint8))
    assert len(found.xy) == 0
    assert found.size.tolist() == [list(shape)]
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.isfinite(table(find(noise))).all()


def test_an_image_wider_than_opencv_can() -> None:
    image = np.zeros((24, 40_000), np.uint8)
    image[8:14, 39_900:39_906] = 255
    found = find(image)
    np.testing.assert_allclose(found.xy[0], [39_902.5, 10.5], atol=0.1)


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_any_number_of_layers_finds_the_blob(layers: int) -> None:
    y, x = np.mgrid[:81, :91]
    blob = 255 * np.exp(-((x - 50) ** 2 + (y - 40) ** 2) / (2 * 4.0**2))
    found = find(blob.astype(np.uint8), octave_layers=layers)
    np.testing.assert_allclose(found.xy[0], [50, 40], atol=0.05)
    np.testing.assert_allclose(found.scale[0], 4 / 2 ** (0.5 / layers), rtol=0.08)


def test_keypoints_carry_their_images() -> None:
    images = Images.from_arrays([photograph("coins"), np.zeros((9, 9), np.uint8)])
    found = DogKeypoints(max_keypoints=5).transform(images)
    assert found.counts.tolist() == [5, 0]
    assert found.images.ids == images.ids
