"""Where patches are taken, and that they are exactly what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from cvpipe.conductor.pipeline import Pipeline
from cvpipe.data import Images, Keypoints, Maps, Patches, offsets_of
from cvpipe.errors import RunError, SpecError
from cvpipe.registry import stage_class
from cvpipe.spec.build import build_stage
from cvpipe.stage import Stage
from cvpipe.stages.keypoints.dog_keypoints import DogKeypoints
from cvpipe.stages.maps.dog_maps import DogMaps
from cvpipe.stages.patches.grid_patches import GridPatches
from cvpipe.stages.patches.patches_at_keypoints import PatchesAtKeypoints
from cvpipe.stages.patches.random_patches import RandomPatches
from cvpipe.stages.patches.saliency_patches import SaliencyPatches, most_salient, window_means
from cvpipe.vision.weighted_draw import weighted_draw

SAMPLERS = ["grid_patches", "patches_at_keypoints", "random_patches", "saliency_patches"]


class RedAsSaliency(Stage):
    """The red channel, of 1 for 255: a map that a test can paint."""

    def transform(self, images: Images) -> Maps:
        """Images -> maps."""
        maps = [image[..., :1].reshape(-1, 1) / np.float32(255) for image in images]
        size = np.array([image.shape[:2] for image in images], np.int32).reshape(-1, 2)
        values = np.concatenate([np.empty((0, 1), np.float32), *maps])
        return Maps(offsets=offsets_of([len(m) for m in maps]), values=values, size=size)


def corners(patches: Patches) -> list[tuple[int, int]]:
    """x, y of each patch's first pixel."""
    places = patches.xy - (patches.pixels.shape[1] - 1) / 2
    assert np.array_equal(places, np.rint(places))
    return [(int(x), int(y)) for x, y in places]


def painted(height: int, width: int, red: np.ndarray | float) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = red
    return image


@pytest.mark.parametrize("word", SAMPLERS)
@pytest.mark.parametrize("colour", ["rgb", "grey"])
@pytest.mark.parametrize("size", [1, 5, 8])
def test_patches_are_what_is_there(
    word: str, colour: str, size: int, noise: Callable[..., np.ndarray]
) -> None:
    pictures = [noise(60, 45, seed=1), noise(30, 70, seed=2), noise(70, 64, seed=3)]
    stage = stage_class(word)(size=size, colour=colour)
    patches = stage.transform(Images.from_arrays(pictures))
    assert patches.pixels.shape[1:] == (size, size, 3)
    assert (patches.counts > 0).all()
    for i, image in enumerate(pictures):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        seen = np.stack([grey] * 3, axis=2) if colour == "grey" else image
        one = patches[[i]]
        for (x, y), pixels in zip(corners(one), one.pixels, strict=True):
            assert np.array_equal(pixels, seen[y : y + size, x : x + size])


@pytest.mark.parametrize("word", SAMPLERS)
def test_no_place_is_taken_twice(word: str, noise: Callable[..., np.ndarray]) -> None:
    patches = stage_class(word)().transform(Images.from_arrays([noise(40, 40)]))
    assert len(set(corners(patches))) == len(patches.xy) > 10


@pytest.mark.parametrize("word", SAMPLERS)
def test_images_smaller_than_a_patch_have_none(word: str, noise: Callable[..., np.ndarray]) -> None:
    pictures = [noise(7, 40), noise(40, 40), noise(1, 1), noise(40, 3)]
    patches = stage_class(word)(size=8).transform(Images.from_arrays(pictures))
    assert (patches.counts > 0).tolist() == [False, True, False, False]
    assert patches.size.tolist() == [[7, 40], [40, 40], [1, 1], [40, 3]]


@pytest.mark.parametrize("word", ["random_patches", "saliency_patches"])
def test_a_draw_depends_on_the_seed_and_the_id(word: str, noise: Callable[..., np.ndarray]) -> None:
    def draw(name: str, seed: int) -> list[tuple[int, int]]:
        images = Images.from_arrays([noise(48, 48)], [name])
        return corners(stage_class(word)(count=20, seed=seed).transform(images))

    assert draw("a", 0) == draw("a", 0)
    assert draw("a", 0) != draw("b", 0)
    assert draw("a", 0) != draw("a", 1)


def test_random_patches_cover_an_image_evenly() -> None:
    images = Images.from_arrays([np.zeros((7, 9, 3), np.uint8)] * 500)
    drawn = Counter(corners(RandomPatches(size=4, count=3, seed=3).transform(images)))
    assert len(drawn) == 4 * 6
    assert sum(drawn.values()) == 1500
    chi2 = sum((n - 1500 / 24) ** 2 / (1500 / 24) for n in drawn.values())
    assert chi2 < 49.7  # of 23 degrees of freedom, 0.1 %


def test_where_places_are_few_each_is_taken_once() -> None:
    patches = RandomPatches(size=8, count=100).transform(Images.from_arrays([np.zeros((9, 10, 3), np.uint8)]))
    assert sorted(corners(patches)) == [(x, y) for x in range(3) for y in range(2)]


def test_a_grid_is_centred() -> None:
    patches = GridPatches(size=8, step=5).transform(Images.from_arrays([np.zeros((20, 31, 3), np.uint8)]))
    assert corners(patches) == [(x, y) for y in (1, 6, 11) for x in (1, 6, 11, 16, 21)]


def test_patches_at_keypoints_are_around_them(noise: Callable[..., np.ndarray]) -> None:
    xy = np.array([[10, 10], [10.2, 9.8], [0, 10], [19, 19], [3, 4], [15.5, 15.5], [17, 9]], np.float32)
    nothing = np.zeros(len(xy), np.float32)
    points = Keypoints(
        offsets=offsets_of([len(xy)]), xy=xy, scale=nothing + 1, angle=nothing, response=nothing,
        size=np.array([[20, 20]], np.int32), images=Images.from_arrays([noise(20, 20)]),
    )  # fmt: skip
    assert corners(PatchesAtKeypoints(size=5).transform(points)) == [(8, 8), (1, 2), (14, 14), (15, 7)]
    assert corners(PatchesAtKeypoints(size=6).transform(points)) == [(8, 8), (8, 7), (1, 2), (13, 13)]


def test_images_are_given_to_the_detector(noise: Callable[..., np.ndarray]) -> None:
    images = Images.from_arrays([noise(64, 80, seed=s) for s in range(3)])
    detector = DogKeypoints(contrast_threshold=0.01)
    got = PatchesAtKeypoints(detector=detector).transform(images)
    want = PatchesAtKeypoints().transform(detector.transform(images))
    for name, array in want.arrays().items():
        np.testing.assert_array_equal(getattr(got, name), array)
    assert got.counts.min() > 5


def test_salient_patches_lie_where_the_map_says() -> None:
    red = np.zeros((40, 60))
    red[10:30, 20:45] = 200
    images = Images.from_arrays([painted(40, 60, red)])
    patches = SaliencyPatches(size=6, count=50, saliency=RedAsSaliency()).transform(images)
    assert len(patches.xy) == 50
    assert all(20 - 6 < x < 45 and 10 - 6 < y < 30 for x, y in corners(patches))


def test_patches_are_drawn_in_proportion_to_saliency() -> None:
    """A left half of saliency 50 and a right half of 150: of windows in one half, a quarter is from the left."""
    red = np.where(np.arange(60) < 30, 50, 150)
    images = Images.from_arrays([painted(60, 60, red)] * 200)
    patches = SaliencyPatches(size=4, count=20, saliency=RedAsSaliency(), seed=1).transform(images)
    x = np.array(corners(patches))[:, 0]
    left, right = (x <= 26).sum(), (x >= 30).sum()
    assert abs(left / (left + right) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / (left + right))


def test_top_draws_evenly_from_the_most_salient_places() -> None:
    images = Images.from_arrays([painted(20, 100, np.arange(100) * 2)] * 100)
    patches = SaliencyPatches(size=1, count=20, top=0.25, saliency=RedAsSaliency()).transform(images)
    columns = Counter(x for x, _ in corners(patches))
    assert set(columns) == set(range(75, 100))
    assert max(columns.values()) < 2 * min(columns.values())  # 80 each


@pytest.mark.parametrize("top", [None, 0.5])
def test_an_image_without_a_salient_region_has_no_patches(top: float | None) -> None:
    one = painted(20, 20, 0)
    one[4, 5, 0] = 9
    images = Images.from_arrays([painted(20, 20, 0), one])
    patches = SaliencyPatches(size=2, top=top, saliency=RedAsSaliency()).transform(images)
    assert patches.counts.tolist() == [0, 4]
    assert sorted(corners(patches)) == [(4, 3), (4, 4), (5, 3), (5, 4)]
    flat = Images.from_arrays([np.full((40, 40, 3), 90, np.uint8)])
    assert SaliencyPatches(top=top).transform(flat).counts.tolist() == [0]


def test_a_sampler_that_finds_nothing_is_an_error_of_the_learner() -> None:
    flat = Images.from_arrays([np.full((40, 40, 3), 20 * i, np.uint8) for i in range(6)])
    stages = [
        build_stage("kmeans_filters", {"filters": 4, "patches": "saliency_patches"}),
        build_stage("svm"),
    ]
    with pytest.raises(
        RunError, match=r"'saliency_patches' found no patches in the training images; .* may find some"
    ):
        Pipeline(stages).fit(flat, np.array(["a", "b"] * 3))


def test_saliency_has_one_channel(noise: Callable[..., np.ndarray]) -> None:
    with pytest.raises(RunError, match="saliency: must give one map for each image, but 'dog_maps' gives 5"):
        SaliencyPatches(saliency=DogMaps()).transform(Images.from_arrays([noise(30, 30)]))


def test_a_stage_that_makes_no_maps_is_refused() -> None:
    stages = [build_stage("kmeans_filters", {"patches": {"saliency_patches": {"saliency": "gist"}}})]
    message = (
        r"option 'saliency' of stage 'saliency_patches' makes Maps from Images, but 'gist' makes Features"
    )
    with pytest.raises(SpecError, match=message):
        Pipeline([*stages, build_stage("svm")]).check()


@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_window_means_by_loop(size: int) -> None:
    saliency = np.random.default_rng(0).random((13, 17), np.float32)
    saliency[2:11, 3:14] = 0
    got = window_means(saliency, (13, 17), size)
    want = [[saliency[y : y + size, x : x + size].mean() for x in range(18 - size)] for y in range(14 - size)]
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert (got == 0).sum() == (10 - size) * (12 - size)


def test_a_map_of_another_size_is_stretched_and_none_of_it_is_negative() -> None:
    got = window_means(np.array([[-1, 1]], np.float32), (4, 8), 1)
    assert got.shape == (4, 8)
    assert got.min() == 0
    assert (np.diff(got, axis=1) >= 0).all()


def test_the_most_salient_share() -> None:
    weights = np.array([0.0, 3, 2, 2, 2, 1, 0, 5])
    assert most_salient(weights, 0.25).tolist() == [0, 1, 0, 0, 0, 0, 0, 1]
    assert most_salient(weights, 0.3).tolist() == [0, 1, 1, 1, 1, 0, 0, 1]  # equals of the least are in
    assert most_salient(weights, 0.99).tolist() == [0, 1, 1, 1, 1, 1, 0, 1]  # nothing of weight 0
    hundred = np.random.default_rng(0).permutation(100).astype(float) + 1
    assert most_salient(hundred, 0.07).sum() == 7  # though 0.07 times 100 is more than 7 in doubles
    assert most_salient(np.zeros(5), 0.5).tolist() == [0] * 5


def test_weighted_draws_have_the_right_chances() -> None:
    """Two of the weights 1, 2, 3: the ordered pair (i, j) has the chance w_i / 6 * w_j / (6 - w_i)."""
    weights, rng = np.array([0, 1, 2, 0, 3], np.float32), np.random.default_rng(5)
    rounds = 20_000
    seen = Counter(tuple(weighted_draw(weights, 2, rng).tolist()) for _ in range(rounds))
    for i in (1, 2, 4):
        for j in {1, 2, 4} - {i}:
            chance = weights[i] / 6 * weights[j] / (6 - weights[i])
            assert abs(seen[i, j] / rounds - chance) < 4 * np.sqrt(chance / rounds)
    assert sum(seen.values()) == rounds
    assert sorted(weighted_draw(weights, 7, rng).tolist()) == [1, 2, 4]
    assert weighted_draw(np.zeros(3, np.float32), 2, rng).tolist() == []


def test_salient_patches_have_more_contrast_than_random_ones(real_data: Callable[[str], Any]) -> None:
    files = sorted((real_data("ucmerced") / "airplane").glob("*.jpg"))[:20]
    images = Images.from_files(files)
    contrast = [
        stage.transform(images).pixels.std(axis=(1, 2)).mean()
        for stage in (SaliencyPatches(count=30), RandomPatches(count=30))
    ]
    assert contrast[0] > 1.2 * contrast[1]
