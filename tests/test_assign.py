from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cvpipe.vision import assign


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize(("rows", "centres"), [(0, 3), (1, 1), (1300, 37)])
def test_nearest_is_the_nearest(rows: int, centres: int, dtype: type) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 100, (rows, 16)).astype(dtype)
    c = rng.integers(0, 100, (centres, 16)).astype(np.float32)
    want = cdist(x.astype(float), c.astype(float), "sqeuclidean")
    index, distance = assign.nearest(x, c)
    assert index.dtype == np.int32
    assert distance.dtype == np.float32
    np.testing.assert_array_equal(want[np.arange(rows), index], want.min(axis=1))
    np.testing.assert_allclose(distance, want.min(axis=1), rtol=1e-4)


def test_the_first_of_equally_near_centres_wins_and_no_distance_is_negative() -> None:
    centre = np.full((1, 128), 1 / 3, np.float32)
    index, distance = assign.nearest(np.repeat(centre, 5, axis=0), np.repeat(centre, 4, axis=0))
    assert not index.any()
    assert (distance >= 0).all()
    assert (distance < 1e-4).all()


@pytest.mark.parametrize("offset", [0, 100, 3000])
def test_rows_far_from_zero(offset: float) -> None:
    draws = np.random.default_rng(0)
    rows, centres = (draws.normal(offset, 1, (n, 32)).astype(np.float32) for n in (2000, 50))
    exact = ((rows[:, None].astype(float) - centres) ** 2).sum(axis=2)
    index, distance = assign.nearest(rows, centres)
    np.testing.assert_array_equal(index, exact.argmin(axis=1))
    np.testing.assert_allclose(distance, exact.min(axis=1), rtol=1e-3)
