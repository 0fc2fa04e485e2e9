from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from cvpipe.vision import assign
from cvpipe.vision import kmeans as module
from cvpipe.vision.kmeans import distinct_rows, kmeans


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def mixture(rows: int = 3000, clusters: int = 12, width: int = 10) -> np.ndarray:
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(clusters, width)) * 2
    return (centres[draw.integers(0, clusters, rows)] + draw.normal(size=(rows, width))).astype(np.float32)


def test_iterations_are_those_of_an_independent_implementation() -> None:
    from sklearn.cluster import KMeans

    rows = mixture()
    start = distinct_rows(rows, 20, rng())
    want = KMeans(20, init=start, n_init=1, max_iter=6, tol=0, algorithm="lloyd").fit(rows)
    got = kmeans(rows, 20, 6, -1.0, rng())
    np.testing.assert_allclose(got.centres, want.cluster_centers_, atol=1e-4)
    assert got.iterations == 6


def test_it_converges_and_says_when() -> None:
    rows = mixture()
    got = kmeans(rows, 12, 500, 0.0, rng())
    assert got.iterations < 500
    index, distance = assign.nearest(rows, got.centres)
    np.testing.assert_allclose(distance.sum(), got.inertia, rtol=1e-5)
    for k in range(12):
        np.testing.assert_allclose(rows[index == k].mean(axis=0), got.centres[k], atol=1e-3)


def test_the_seed_decides_and_blocks_and_threads_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = mixture(20_000)
    first = kmeans(rows, 30, 5, 0.0, rng())
    with threadpool_limits(1):
        np.testing.assert_array_equal(kmeans(rows, 30, 5, 0.0, rng()).centres, first.centres)
    assert not np.array_equal(kmeans(rows, 30, 5, 0.0, np.random.default_rng(8)).centres, first.centres)
    monkeypatch.setattr(module, "CHUNK", 1000)
    monkeypatch.setattr(assign, "BLOCK", 77)
    np.testing.assert_allclose(kmeans(rows, 30, 5, 0.0, rng()).inertia, first.inertia, rtol=1e-5)


def test_fewer_distinct_rows_than_clusters_are_the_centres() -> None:
    rows = np.repeat(np.eye(3, dtype=np.float32), 50, axis=0)
    got = kmeans(rows, 10, 5, 0.0, rng())
    np.testing.assert_array_equal(
        got.centres[np.lexsort(got.centres.T)], np.eye(3)[::-1][np.lexsort(np.eye(3)[::-1].T)]
    )
    assert got.inertia == 0


def test_an_empty_cluster_restarts_at_the_farthest_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.array([[0.0], [0.1], [0.2], [9.0], [5.0]], np.float32)
    # The last centre is nearest to no row; the row at 9 is the farthest from its centre.
    monkeypatch.setattr(module, "distinct_rows", lambda *_: np.array([[0.1], [5.0], [100.0]], np.float32))
    once = kmeans(rows, 3, 1, 0.0, rng())
    np.testing.assert_allclose(once.centres.ravel(), [0.1, 7.0, 9.0], atol=1e-6)
    assert kmeans(rows, 3, 10, 0.0, rng()).inertia == pytest.approx(0.02, abs=1e-5)


def test_distinct_rows_are_distinct_and_in_no_order() -> None:
    rows = np.repeat(np.arange(40, dtype=np.float32), 25)[:, None]
    got = distinct_rows(rows, 30, rng())
    assert got.shape == (30, 1)
    assert len(np.unique(got)) == 30
    assert not (np.diff(got.ravel()) > 0).all()
