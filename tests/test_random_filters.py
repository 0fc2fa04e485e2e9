"""Filters that are random, and filters that are training patches."""

from __future__ import annotations

import numpy as np
from filter_learning import photographs, sampler, white_patches

from cvpipe.stages.filters.random_filters import RandomFilters


def test_filters_are_random_directions_and_depend_on_the_seed_only() -> None:
    images = photographs()
    first, again, other = (
        RandomFilters(filters=300, patches=sampler(), seed=seed).fit(sampler().transform(images))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.filters_, again.filters_)
    assert not np.array_equal(first.filters_, other.filters_)
    np.testing.assert_allclose(np.linalg.norm(first.filters_, axis=1), 1, rtol=1e-5)
    cosines = first.filters_ @ first.filters_.T - np.eye(300)
    assert abs(cosines.std() - 1 / np.sqrt(108)) < 0.01


def test_an_image_is_what_the_filters_say_of_it() -> None:
    images = photographs()
    stage = RandomFilters(filters=9, patches=sampler(), seed=0).fit(sampler().transform(images))
    z = white_patches(stage, images[0]).astype(np.float64) @ stage.filters_.T
    codes = np.maximum(np.hstack([z, -z]), 0)
    got = stage.transform(images[:1]).values[0]
    np.testing.assert_allclose(got, [*codes.mean(axis=0), *codes.std(axis=0)], atol=1e-3)
    assert stage.use_.shape == (9,)  # both signs of a filter are one filter
