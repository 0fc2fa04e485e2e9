"""Filters on the maps of filters, against plain NumPy loops over both layers."""

from __future__ import annotations

import numpy as np
import pytest
from filter_learning import photographs

from cvpipe.conductor.pipeline import Pipeline
from cvpipe.data import Features, Images, Maps, offsets_of
from cvpipe.datasets.textures import Textures
from cvpipe.errors import RunError
from cvpipe.registry import stage_class
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.filters.kmeans_filters import KmeansFilters
from cvpipe.stages.patches.grid_patches import GridPatches
from cvpipe.stages.patches.random_patches import RandomPatches
from cvpipe.vision.local_pooling import squares
from cvpipe.vision.patch_rows import unit_of

LEARNERS = [
    "denoising_autoencoder", "ica_filters", "kmeans_filters", "random_filters", "random_patches_filters", "rbm",
    "sparse_autoencoder", "sparse_coding",
]  # fmt: skip


def first_layer(**options: object) -> KmeansFilters:
    sampler = RandomPatches(size=5, count=200, seed=0)
    wanted = {
        "filters": 12,
        "patches": sampler,
        "stride": 2,
        "pool": ("mean",),
        "maps": 3,
        "seed": 0,
    } | options
    stage = KmeansFilters(**wanted)  # type: ignore[arg-type]
    return stage.fit(sampler.transform(photographs()))


def second_layer(below: Maps, **options: object) -> KmeansFilters:
    sampler = RandomPatches(size=2, count=15, seed=0)
    stage = KmeansFilters(**{"filters": 9, "patches": sampler, "seed": 0} | options)  # type: ignore[arg-type]
    return stage.fit(sampler.transform(below))


def given_maps(stage: KmeansFilters, images: Images) -> Maps:
    maps = stage.transform(images)
    assert isinstance(maps, Maps)
    return maps


def triangle_codes(stack: np.ndarray, stage: KmeansFilters, middle: float, unit: float) -> np.ndarray:
    """(rows, columns, K) float64 by a loop over positions, the formulas of Coates, Lee & Ng 2011 one by one."""
    h, w, _ = stage.window_.tolist()
    rows, columns = ((side - n) // stage.stride + 1 for side, n in zip(stack.shape, (h, w), strict=False))
    codes = np.empty((rows, columns, len(stage.filters_)))
    for y in range(rows):
        for x in range(columns):
            top, left = y * stage.stride, x * stage.stride
            patch = (stack[top : top + h, left : left + w].astype(np.float64).ravel() - middle) / unit
            even = (patch - patch.mean()) / np.sqrt(patch.var() + stage.contrast)
            white = (even - stage.mean_) @ stage.whitening_.astype(np.float64)
            z = np.linalg.norm(white - stage.filters_, axis=1)
            codes[y, x] = np.maximum(0, z.mean() - z)
    return codes


def test_two_layers_are_two_loops() -> None:
    images = photographs()
    first = first_layer()
    maps = given_maps(first, images)
    second = second_layer(maps, pool=("mean", "max"))
    features = second.transform(maps)
    assert isinstance(features, Features)
    for i in (0, 3):
        codes = triangle_codes(images[i], first, 128, 1)  # 18 x 22 positions
        assert codes.shape[:2] == (18, 22)
        pooled = np.stack(
            [
                [codes[3 * y : 3 * y + 3, 3 * x : 3 * x + 3].mean(axis=(0, 1)) for x in range(7)]
                for y in range(6)
            ]
        )
        np.testing.assert_allclose(maps.stack(i), pooled, atol=2e-3)
        middle, unit = second.unit_.tolist()
        above = triangle_codes(pooled, second, middle, unit)
        want = [*above.mean(axis=(0, 1)), *above.max(axis=(0, 1))]
        np.testing.assert_allclose(features.values[i], want, atol=2e-2)
        assert np.std(want) > 0.1


def test_maps_are_learned_from_in_their_own_unit() -> None:
    maps = given_maps(first_layer(), photographs())
    sampler = RandomPatches(size=2, count=15, seed=0)
    patches = sampler.transform(maps).pixels
    unit = unit_of(patches)
    assert abs(unit.rows(patches).mean()) < 1e-3
    assert abs(unit.rows(patches).std() - 74) < 1e-2
    louder = Maps(offsets=maps.offsets, values=maps.values * np.float32(1000), size=maps.size)
    same = KmeansFilters(filters=9, patches=GridPatches(size=2, step=1), seed=0)
    quiet = same.fit(same.sampler.transform(maps)).transform(maps).arrays()["values"]
    loud = same.fit(same.sampler.transform(louder)).transform(louder).arrays()["values"]
    np.testing.assert_allclose(loud, quiet, atol=1e-2)


@pytest.mark.parametrize("word", LEARNERS)
def test_every_learner_gives_and_takes_maps(word: str) -> None:
    images = photographs(3)
    options = {"filters": 8, "patches": RandomPatches(size=4, count=60, seed=0), "stride": 3, "seed": 0}
    first = stage_class(word)(**options, maps=2)
    maps = first.fit(first.sampler.transform(images)).transform(images)
    assert isinstance(maps, Maps)
    assert maps.size.tolist() == [[6, 7]] * 3  # 13 x 15 positions
    second = stage_class(word)(**options | {"patches": GridPatches(size=3, step=1), "stride": 1})
    features = second.fit(second.sampler.transform(maps)).transform(maps)
    assert isinstance(features, Features)
    assert features.values.shape[0] == 3
    assert np.isfinite(features.values).all()
    assert features.values.any()
    assert all(not hasattr(shown, "images") for shown in second.exhibits())  # many channels are no picture


def test_patches_of_maps_are_what_is_there() -> None:
    maps = given_maps(first_layer(), photographs())
    for sampler in (RandomPatches(size=3, count=5, seed=1), GridPatches(size=3, step=2)):
        patches = sampler.transform(maps)
        assert patches.pixels.dtype == np.float32
        assert len(patches) == 6
        for i in range(6):
            one = patches[[i]]
            for (x, y), window in zip((one.xy - 1).astype(int), one.pixels, strict=True):
                np.testing.assert_array_equal(window, maps.stack(i)[y : y + 3, x : x + 3])
    places = [
        set(map(tuple, RandomPatches(size=3, count=5, seed=1).transform(maps[[i]]).xy)) for i in range(6)
    ]
    assert len(set(map(frozenset, places))) > 1  # images of one size are not drawn from at the same places


def test_squares_are_those_of_a_loop() -> None:
    codes = np.random.default_rng(0).random((7, 9, 4), dtype=np.float32)
    got = squares(codes, 2, ["mean", "std", "max", "sum"])
    assert got.shape == (3, 4, 16)
    cell = codes[4:6, 2:4].reshape(4, 4)
    want = np.concatenate([cell.mean(axis=0), cell.std(axis=0), cell.max(axis=0), cell.sum(axis=0)])
    np.testing.assert_allclose(got[2, 1], want, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(squares(codes, 1, ["mean"]), codes)


def test_small_and_flat_images_go_through_both_layers() -> None:
    first = first_layer()
    second = second_layer(given_maps(first, photographs()))
    odd = [
        np.zeros((4, 90, 3), np.uint8),  # smaller than a patch
        np.zeros((7, 7, 3), np.uint8),  # 2 x 2 positions, less than a square
        np.zeros((9, 30, 3), np.uint8),  # one row of squares, less than a patch of maps
        np.full((40, 48, 3), 200, np.uint8),
        np.full((40, 48, 3), 3, np.uint8),
    ]
    maps = given_maps(first, Images.from_arrays(odd))
    assert maps.size.tolist() == [[0, 0], [0, 0], [1, 4], [6, 7], [6, 7]]
    values = second.transform(maps).arrays()["values"]
    assert not values[:3].any()
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[3], values[4], atol=1e-3)  # brightness does not matter
    np.testing.assert_allclose(values[3, 9:], 0, atol=1e-3)


def test_flat_maps_alone_teach_nothing_but_do_not_break() -> None:
    flat = Maps(
        offsets=offsets_of([16]), values=np.full((16, 3), 0.3, np.float32), size=np.array([[4, 4]], np.int32)
    )
    for contrast in (10.0, 0.0):
        stage = second_layer(flat, contrast=contrast)
        assert np.isfinite(stage.transform(flat).arrays()["values"]).all()


def test_what_does_not_fit_says_so() -> None:
    images = photographs()
    first = first_layer()
    maps = given_maps(first, images)
    with pytest.raises(
        RunError, match="its filters are those of images of 3 channels, but maps of 12 channels come"
    ):
        first.transform(maps)
    second = second_layer(maps)
    with pytest.raises(
        RunError, match="its filters are those of maps of 12 channels, but images of 3 channels come"
    ):
        second.transform(images)
    with pytest.raises(RunError, match="'random_patches' found no patches"):
        second_layer(maps, patches=RandomPatches(size=9)).fit(RandomPatches(size=9).transform(maps))
    with pytest.raises(RunError, match="`shrink` makes images smaller, but maps come in"):
        second_layer(maps, shrink=2)
    assert KmeansFilters(maps=2, regions=(1, 2)).conflicts() == [
        "option 'regions' of stage 'kmeans_filters' is of Features, but with `maps` it gives Maps"
    ]


def test_a_stacked_pipeline_runs_from_the_spec_to_its_scores() -> None:
    sampler, small = RandomPatches(size=6, count=20), RandomPatches(size=2, count=8)
    first = KmeansFilters(filters=16, patches=sampler, stride=4, pool=("mean",), maps=3, iterations=3)
    second = KmeansFilters(filters=16, patches=small, iterations=3)
    result = Pipeline([first, second, Svm()]).run(Textures().load())
    assert result.scores["accuracy"].mean > 0.2  # twice the share of a class
