"""Filters that are training patches."""

from __future__ import annotations

import numpy as np
from filter_learning import patches, photographs, sampler, white_patches

from cvpipe.stages.filters.random_patches_filters import RandomPatchesFilters
from cvpipe.vision.patch_rows import evened, rows_of


def test_each_filter_is_a_white_patch_of_length_1_and_none_comes_twice() -> None:
    images = photographs()
    stage = RandomPatchesFilters(filters=40, patches=sampler(), seed=0).fit(patches(images))
    rows = evened(rows_of(patches(images).pixels), "contrast", 10)
    white = (rows - stage.mean_) @ stage.whitening_
    white /= np.linalg.norm(white, axis=1, keepdims=True)
    cosines = stage.filters_ @ white.T
    np.testing.assert_allclose(cosines.max(axis=1), 1, atol=1e-4)
    assert len(set(cosines.argmax(axis=1))) == 40


def test_codes_are_products_or_triangles() -> None:
    images = photographs()
    for encode in ("products", "triangle"):
        stage = RandomPatchesFilters(filters=8, patches=sampler(), encode=encode, seed=0)  # type: ignore[arg-type]
        stage.fit(patches(images))
        rows = white_patches(stage, images[0]).astype(np.float64)
        z = np.linalg.norm(rows[:, None] - stage.filters_, axis=2)
        products = rows @ stage.filters_.T
        want = np.hstack([products, -products]) if encode == "products" else z.mean(axis=1, keepdims=True) - z
        got = stage.transform(images[:1]).values[0]
        np.testing.assert_allclose(got[: want.shape[1]], np.maximum(want, 0).mean(axis=0), atol=2e-3)
