"""k-means filters, and what all learners of filters share."""

from __future__ import annotations

import numpy as np
import pytest
from filter_learning import patches, photographs, sampler, white_patches

from cvpipe.data import Images
from cvpipe.data.exhibits import Facts, Gallery
from cvpipe.errors import RunError
from cvpipe.spec import option_problems
from cvpipe.stages.filters.kmeans_filters import KmeansFilters
from cvpipe.vision.spherical_kmeans import spherical_kmeans


def fitted(**options: object) -> tuple[KmeansFilters, Images]:
    images = photographs()
    stage = KmeansFilters(**{"filters": 20, "patches": sampler(), "seed": 0} | options)  # type: ignore[arg-type]
    return stage.fit(stage.sampler.transform(images)), images


def test_an_image_is_the_mean_and_deviation_of_coates_triangle_codes() -> None:
    stage, images = fitted(stride=2)
    rows = white_patches(stage, images[0]).astype(np.float64)
    z = np.linalg.norm(rows[:, None] - stage.filters_, axis=2)
    codes = np.maximum(0, z.mean(axis=1, keepdims=True) - z)
    got = stage.transform(images).values
    assert got.shape == (6, 40)
    np.testing.assert_allclose(got[0], [*codes.mean(axis=0), *codes.std(axis=0)], atol=2e-3)


def test_hard_codes_are_shares_of_the_nearest_filters() -> None:
    stage, images = fitted(encode="hard", pool=("mean",), regions=(1, 2))
    rows = white_patches(stage, images[1]).astype(np.float64)
    nearest = np.linalg.norm(rows[:, None] - stage.filters_, axis=2).argmin(axis=1)
    got = stage.transform(images[1:2]).values[0].reshape(5, 20)
    np.testing.assert_allclose(got[0], np.bincount(nearest, minlength=20) / len(nearest), atol=2e-3)
    np.testing.assert_allclose(got.sum(axis=1), 1, atol=1e-5)


def test_images_and_patches_are_made_smaller_alike() -> None:
    stage, images = fitted(patches=sampler(12), shrink=2)
    assert stage.window_.tolist() == [6, 6, 3]
    want = stage.transform(Images.from_arrays([image[:40, :48] for image in images]))
    rows = white_patches(stage, images[0])
    assert len(rows) == (20 - 5) * (24 - 5)
    assert np.isfinite(want.values).all()


def test_grey_patches_make_images_grey() -> None:
    images = photographs()
    grey = sampler()
    grey.colour = "grey"
    stage = KmeansFilters(filters=10, patches=grey, seed=0)
    stage.fit(grey.transform(images))
    assert stage.window_.tolist() == [6, 6, 1]
    assert stage.filters_.shape == (10, 36)
    assert stage.transform(images).values.any()
    assert stage.exhibits()[0].images.shape[-1] == 3  # type: ignore[union-attr]


def test_small_and_flat_images() -> None:
    stage, _ = fitted()
    odd = [
        np.zeros((5, 90, 3), np.uint8),
        np.full((30, 30, 3), 200, np.uint8),
        np.full((9, 9, 3), 3, np.uint8),
    ]
    small, flat, other = stage.transform(Images.from_arrays(odd)).values
    assert not small.any()
    np.testing.assert_allclose(flat, other, atol=1e-4)  # brightness does not matter
    np.testing.assert_allclose(flat[20:], 0, atol=1e-5)
    assert np.isfinite(flat).all()


def test_fewer_patches_than_filters_are_the_filters() -> None:
    images = photographs(1)
    few = sampler(count=7)
    stage = KmeansFilters(filters=20, patches=few, seed=0).fit(few.transform(images))
    assert stage.filters_.shape[0] == 7
    assert stage.transform(images).values.shape == (1, 14)


def test_at_most_so_many_patches_are_learned_from() -> None:
    stage, _ = fitted(samples=30)
    assert stage.fit_rows == 30
    assert stage.seen_ == 30


def test_no_patches_are_an_error_that_says_so() -> None:
    tiny = Images.from_arrays([np.zeros((3, 3, 3), np.uint8)])
    with pytest.raises(
        RunError,
        match=r"kmeans_filters: 'random_patches' found no patches in the training images; .* may find some",
    ):
        KmeansFilters(patches=sampler()).fit(patches(tiny))
    with pytest.raises(RunError, match="nothing is left of 6x6 px patches made 7 times smaller"):
        KmeansFilters(patches=sampler(), shrink=7).fit(patches(photographs(1)))
    assert option_problems(KmeansFilters(patches=sampler(), shrink=6)) == []
    (problem,) = option_problems(KmeansFilters(patches=sampler(), shrink=7))
    assert problem == "stage 'kmeans_filters': nothing is left of 6x6 px patches made 7 times smaller"


def test_it_shows_its_filters_by_use() -> None:
    stage, _ = fitted()
    gallery, facts = stage.exhibits()
    assert isinstance(gallery, Gallery)
    assert isinstance(facts, Facts)
    assert gallery.images.shape[0] == len(gallery.captions) == 20
    assert gallery.images.dtype == np.uint8
    used = [float(caption) for caption in gallery.captions]
    assert used == sorted(used, reverse=True)
    assert dict(facts.rows)["training patches"] == "1,200"


def test_spherical_centres_are_the_directions_that_rows_lie_in() -> None:
    rng = np.random.default_rng(0)
    truth = np.linalg.qr(rng.standard_normal((8, 8)))[0][:3]
    which, size = rng.integers(0, 3, 600), rng.choice([-1, 1], 600) * rng.uniform(1, 3, 600)
    rows = (truth[which] * size[:, None] + 0.05 * rng.standard_normal((600, 8))).astype(np.float32)
    found = spherical_kmeans(rows, 6, 10, rng)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    assert np.abs(found @ truth.T).max(axis=0).min() > 0.98


def test_one_step_of_spherical_k_means_is_coates_and_ngs() -> None:
    rows = np.random.default_rng(1).standard_normal((50, 5)).astype(np.float32)
    start = np.random.default_rng(2).standard_normal((4, 5)).astype(np.float32)
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    codes = rows @ start.T
    codes *= np.abs(codes) == np.abs(codes).max(axis=1, keepdims=True)
    want = codes.T @ rows + start
    want /= np.linalg.norm(want, axis=1, keepdims=True)
    got = spherical_kmeans(rows, 4, 1, np.random.default_rng(2))
    np.testing.assert_allclose(got, want, atol=1e-5)
    stage, images = fitted(spherical=True)
    assert np.isfinite(stage.transform(images).values).all()
