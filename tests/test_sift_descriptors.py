from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cvpipe.data import Descriptors, Images, Keypoints, offsets_of
from cvpipe.errors import RunError
from cvpipe.stages.descriptors.sift_descriptors import SiftDescriptors
from cvpipe.stages.keypoints.dog_keypoints import DogKeypoints
from cvpipe.vision import sift_descriptor


def photograph(name: str) -> np.ndarray:
    """(H, W, 3) uint8 RGB, one of those that scikit-image brings along."""
    from skimage import data

    image = getattr(data, name)()
    return np.dstack([image] * 3) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def keypoints(image: np.ndarray, rows: list[tuple[float, float, float, float]]) -> Keypoints:
    """Keypoints of one image at x, y, scale, angle."""
    table = np.array(rows, np.float32).reshape(-1, 4)
    return Keypoints(
        offsets=offsets_of([len(table)]),
        xy=table[:, :2],
        scale=table[:, 2],
        angle=table[:, 3],
        response=np.ones(len(table), np.float32),
        size=np.array([image.shape[:2]], np.int32),
        images=Images.from_arrays([image]),
    )


def ours(image: np.ndarray) -> Descriptors:
    found = DogKeypoints(max_keypoints=None).transform(Images.from_arrays([image]))
    return SiftDescriptors().transform(found)


def opencvs(image: np.ndarray, precise: bool) -> tuple[np.ndarray, np.ndarray]:
    """(m, 4) x, y, sigma, angle and (m, 128) float32."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    found, values = cv2.SIFT_create(enable_precise_upscale=precise).detectAndCompute(grey, None)
    places = [(*p.pt, p.size / 2, np.deg2rad(p.angle)) for p in found]
    return np.array(places, np.float32), values


def median_cosine(image: np.ndarray) -> float:
    """Of descriptors at OpenCV's keypoints, ours against OpenCV's."""
    places, values = opencvs(image, precise=True)
    got = SiftDescriptors().transform(keypoints(image, places.tolist())).values.astype(np.float64)
    norms = np.linalg.norm(got, axis=1) * np.linalg.norm(values, axis=1)
    return float(np.median((got * values).sum(axis=1) / norms))


@pytest.mark.parametrize("name", ["camera", "chelsea", "coins"])
def test_descriptors_of_photographs_are_like_those_of_opencv(name: str) -> None:
    assert median_cosine(photograph(name)) > 0.99


@pytest.mark.parametrize("scene", ["graf", "boat", "leuven"])
def test_descriptors_of_oxford_scenes_are_like_those_of_opencv(
    scene: str, real_data: Callable[[str], Path]
) -> None:
    image = cv2.imread(str(real_data("oxford-affine") / scene / "img1.png"), cv2.IMREAD_COLOR_RGB)
    assert median_cosine(image) > 0.99


def correct_matches(
    xy: tuple[np.ndarray, np.ndarray], values: tuple[np.ndarray, np.ndarray], homography: np.ndarray
) -> int:
    """Mutual nearest neighbours that pass the ratio test at 0.8 and lie within 3 px of where they should."""
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    first, second = (v.astype(np.float32) for v in values)
    back = [m.trainIdx for m in matcher.match(second, first)]
    count = 0
    for best, other in matcher.knnMatch(first, second, k=2):
        if back[best.trainIdx] == best.queryIdx and best.distance < 0.8 * other.distance:
            *seen, w = homography @ (*xy[0][best.queryIdx], 1)
            count += np.hypot(*(np.array(seen) / w - xy[1][best.trainIdx])) <= 3
    return int(count)


def described(image: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Places and descriptors by ours, by OpenCV as it comes, and by OpenCV without its shift."""
    found = ours(image)
    theirs = {
        name: opencvs(image, precise) for name, precise in (("opencv", False), ("opencv precise", True))
    }
    places = {name: (table[:, :2], values) for name, (table, values) in theirs.items()}
    return places | {"ours": (found.xy, found.values)}


def add_matches(
    total: dict[str, int], first: dict[str, tuple], second: dict[str, tuple], homography: np.ndarray
) -> None:
    for name in first:
        (xy1, values1), (xy2, values2) = first[name], second[name]
        total[name] = total.get(name, 0) + correct_matches((xy1, xy2), (values1, values2), homography)


def test_a_turned_and_shrunk_photograph_is_matched_as_well_as_by_opencv() -> None:
    image = photograph("camera")
    turn = np.vstack([cv2.getRotationMatrix2D((256, 256), 30, 0.7), [0, 0, 1]])
    total: dict[str, int] = {}
    add_matches(total, described(image), described(cv2.warpPerspective(image, turn, (512, 512))), turn)
    assert total["opencv"] > 100
    assert total["ours"] >= max(total["opencv"], total["opencv precise"])


@pytest.mark.slow
def test_the_fifteen_oxford_pairs_are_matched_as_well_as_by_opencv(real_data: Callable[[str], Path]) -> None:
    total: dict[str, int] = {}
    for scene in ("graf", "boat", "leuven"):
        folder = real_data("oxford-affine") / scene
        views = [cv2.imread(str(folder / f"img{i}.png"), cv2.IMREAD_COLOR_RGB) for i in range(1, 7)]
        found = [described(view) for view in views]
        for other in range(1, 6):
            add_matches(total, found[0], found[other], np.loadtxt(folder / f"H1to{other + 1}p"))
    assert total["ours"] >= max(total["opencv"], total["opencv precise"])


def word_for_word(layer: np.ndarray, x: float, y: float, sigma: float, angle: float) -> np.ndarray:
    """Lowe 2004, section 6, in float64: each gradient shared among the bins by its distances from their middles."""
    gy, gx = np.gradient(layer.astype(np.float64))
    rows, columns = np.mgrid[1 : layer.shape[0] - 1, 1 : layer.shape[1] - 1]
    gy, gx = gy[1:-1, 1:-1], gx[1:-1, 1:-1]
    u = (np.cos(angle) * (columns - x) + np.sin(angle) * (rows - y)) / (3 * sigma)
    v = (np.cos(angle) * (rows - y) - np.sin(angle) * (columns - x)) / (3 * sigma)
    weight = np.hypot(gx, gy) * np.exp(-(u**2 + v**2) / (2 * 2**2))
    turn = (angle - np.arctan2(gy, gx)) * 8 / (2 * np.pi)
    out = np.zeros((4, 4, 8))
    for j, i, k in np.ndindex(out.shape):
        near = np.maximum(0, 1 - np.abs(u - (i - 1.5))) * np.maximum(0, 1 - np.abs(v - (j - 1.5)))
        apart = np.abs((turn - k + 4) % 8 - 4)
        out[j, i, k] = (weight * near * np.maximum(0, 1 - apart)).sum()
    unit = np.minimum(out.ravel() / np.linalg.norm(out), 0.2)
    return np.minimum(512 * unit / np.linalg.norm(unit), 255)


def test_descriptors_are_lowes_word_for_word() -> None:
    rng = np.random.default_rng(0)
    layer = cv2.GaussianBlur(rng.random((90, 110)).astype(np.float32), (0, 0), 2)
    places = rng.uniform([0, 0, 1, 0], [109, 89, 4, 2 * np.pi], (40, 4)).astype(np.float32)
    places[:3] = [[50, 40, 2, 0], [50, 40, 2, np.pi / 2], [0, 0, 3, np.pi / 4]]
    got = sift_descriptor.descriptors(layer, places)
    want = np.array([word_for_word(layer, *place) for place in places.tolist()])
    # Rounding to whole numbers is half a step; the fast angle, good to 2e-5, may tip it.
    np.testing.assert_allclose(got, want, atol=0.6)


def test_a_turned_image_with_turned_keypoints_has_the_same_descriptors() -> None:
    image = photograph("camera")[100:301, 150:351]
    rows = [(60.0, 80.0, 2.0, 0.3), (100.0, 99.0, 4.1, 2.0), (150.5, 70.25, 1.2, 5.0)]
    turned = [(200 - y, x, scale, angle + np.pi / 2) for x, y, scale, angle in rows]
    here = SiftDescriptors().transform(keypoints(image, rows)).values.astype(int)
    there = SiftDescriptors().transform(keypoints(np.rot90(image, -1), turned)).values.astype(int)
    assert np.abs(here - there).max() <= 2


def test_orientations_are_the_keypoints_own_or_found_or_none() -> None:
    image = photograph("coins")
    found = DogKeypoints(max_keypoints=40).transform(Images.from_arrays([image]))
    rows = np.column_stack([found.xy, found.scale, found.angle])
    _, first = np.unique(found.xy, axis=0, return_index=True)
    single = rows[[i for i in first if (found.xy == found.xy[i]).all(axis=1).sum() == 1]]

    def values(angles: float | np.ndarray, orientation: str) -> np.ndarray:
        table = np.column_stack([single[:, :3], np.broadcast_to(angles, len(single))])
        stage = SiftDescriptors(orientation=orientation)  # type: ignore[arg-type]
        return stage.transform(keypoints(image, table.tolist())).values.astype(int)

    given = values(single[:, 3], "keypoint")
    assert len(single) > 10
    # Places of keypoints are rounded to float32, so angles differ in the last digits.
    assert np.abs(values(-1, "keypoint") - given).max() <= 1
    assert np.abs(values(0.7, "dominant") - given).max() <= 1
    np.testing.assert_array_equal(values(1.0, "upright"), values(0, "keypoint"))
    assert np.abs(values(1.0, "upright") - given).max() > 50


def test_whole_turns_change_nothing() -> None:
    image = photograph("coins")
    rows = [(50.0, 60.0, 2.0, angle) for angle in (0.5, 0.5 + 2 * np.pi, 0.5 + 40 * np.pi)]
    values = SiftDescriptors().transform(keypoints(image, rows)).values.astype(int)
    assert np.abs(values - values[0]).max() <= 1
    far = np.float32(1e12)
    rows = [(50.0, 60.0, 2.0, angle) for angle in (far, far % np.float32(2 * np.pi))]
    values = SiftDescriptors().transform(keypoints(image, rows)).values.astype(int)
    assert np.abs(values[1] - values[0]).max() <= 1


def test_keypoints_stay_in_their_order_with_their_images() -> None:
    images = Images.from_arrays([photograph("coins"), np.zeros((9, 9), np.uint8), photograph("camera")])
    found = DogKeypoints(max_keypoints=30).transform(images)
    shuffled = found[[2, 1, 0]]
    got = SiftDescriptors().transform(shuffled)
    assert got.counts.tolist() == [30, 0, 30]
    np.testing.assert_array_equal(got.xy, shuffled.xy)
    np.testing.assert_array_equal(got.scale, shuffled.scale)
    np.testing.assert_array_equal(got.size, shuffled.size)
    for image in (0, 2):
        alone = SiftDescriptors().transform(shuffled[image : image + 1])
        np.testing.assert_array_equal(got.values[got.rows(image)], alone.values)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 2), (5, 5), (40, 60)])
def test_keypoints_anywhere_of_any_scale_have_a_descriptor(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    places = [(0, 0), (shape[1] - 1, shape[0] - 1), (-3, 1), (1e6, -1e6), (shape[1] / 2, shape[0] / 2)]
    rows = [(x, y, scale, 0.5) for x, y in places for scale in (0, 1e-9, 0.4, 5, 80, 1e9)]
    got = SiftDescriptors().transform(keypoints(image, rows)).values.astype(np.float64)
    lengths = np.linalg.norm(got, axis=1)
    assert np.all((lengths == 0) | (lengths > 250))
    assert np.all(lengths[18:23] == 0)  # far outside; the last scale reaches the image from there
    assert shape != (40, 60) or np.all(lengths[[2, 3, 8, 9, 26, 27, 28]] > 0)


def test_a_flat_neighbourhood_has_zeros() -> None:
    got = SiftDescriptors().transform(
        keypoints(np.full((50, 50), 70, np.uint8), [(20, 20, 2, 0), (1, 1, 2, -1)])
    )
    assert not got.values.any()


def test_places_that_are_not_finite_are_refused() -> None:
    image = np.zeros((20, 20), np.uint8)
    for bad in ((np.nan, 1, 1, 0), (1, 1, np.inf, 0), (1, 1, 1, np.nan)):
        with pytest.raises(RunError, match="finite"):
            SiftDescriptors().transform(keypoints(image, [bad]))
