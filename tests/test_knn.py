from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stages.classifiers.knn import Knn


def features(*rows: list[float]) -> Features:
    return Features(values=np.array(rows, np.float32))


@pytest.mark.parametrize(("metric", "name"), [("l1", "cityblock"), ("l2", "euclidean"), ("cosine", "cosine")])
@pytest.mark.parametrize("k", [1, 5])
def test_votes_are_those_of_the_nearest(metric: Any, name: Any, k: int) -> None:
    rng = np.random.default_rng(0)
    x, other = rng.random((60, 7), dtype=np.float32), rng.random((30, 7), dtype=np.float32)
    y = np.array(["cat", "dog", "emu"])[rng.integers(0, 3, 60)]
    got = Knn(k=k, metric=metric).fit(Features(values=x), y).predict(Features(values=other))
    np.testing.assert_allclose(got.scores.sum(axis=1), 1, rtol=1e-6)
    for scores, label, distance in zip(got.scores, got.labels, cdist(other, x, name), strict=True):
        near = y[np.argsort(distance)[:k]]
        votes = np.array([(near == c).sum() for c in got.classes])
        winners = got.classes[votes == votes.max()]
        assert label == next(c for c in near if c in winners)
        np.testing.assert_allclose(scores, (votes + 0.5 * (got.classes == label)) / (k + 0.5), rtol=1e-6)


def test_chi2_finds_another_neighbour_than_l2() -> None:
    train, labels, query = features([0.5, 0.0], [0.2, 0.2]), np.array(["cat", "dog"]), features([0.2, 0.0])
    # chi2: 0.09 / 0.7 = 0.13 to the cat, 0.04 / 0.2 = 0.2 to the dog. Euclidean: 0.3 and 0.2.
    assert Knn(metric="chi2").fit(train, labels).predict(query).labels == ["cat"]
    assert Knn(metric="l2").fit(train, labels).predict(query).labels == ["dog"]


@pytest.mark.parametrize(("metric", "name"), [("l1", "manhattan"), ("l2", "euclidean"), ("cosine", "cosine")])
def test_weighted_votes_are_those_of_scikit_learn(metric: Any, name: str) -> None:
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(0)
    x, other = rng.random((60, 7), dtype=np.float32), rng.random((30, 7), dtype=np.float32)
    y = np.array(["cat", "dog", "emu"])[rng.integers(0, 3, 60)]
    want = KNeighborsClassifier(6, weights="distance", metric=name).fit(x.astype(float), y)
    stage = Knn(k=6, metric=metric, votes="distance").fit(Features(values=x), y)
    got = stage.predict(Features(values=other)).scores
    np.testing.assert_allclose(got, want.predict_proba(other.astype(float)), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("metric", ["l1", "l2", "chi2", "cosine"])
def test_an_image_that_was_seen_decides_alone(metric: Any) -> None:
    x = np.random.default_rng(1).random((20, 5), dtype=np.float32)
    x[7] = x[3]
    y = np.array(["cat", "dog"] * 10)
    y[7] = "cat"
    got = (
        Knn(k=9, metric=metric, votes="distance")
        .fit(Features(values=x), y)
        .predict(Features(values=x))
        .scores
    )
    want = (y[:, None] == ["cat", "dog"]).astype(float)
    want[[3, 7]] = 0.5
    np.testing.assert_allclose(got, want)


def test_weighted_chi2_by_hand() -> None:
    train = features([0.5, 0.0], [0.2, 0.2])
    got = (
        Knn(k=2, metric="chi2", votes="distance")
        .fit(train, np.array(["cat", "dog"]))
        .predict(features([0.2, 0.0]))
    )
    weights = np.array([0.7 / 0.09, 0.2 / 0.04])  # 1 / distance
    np.testing.assert_allclose(got.scores[0], weights / weights.sum(), rtol=1e-5)


def test_all_vote_if_there_are_fewer_than_k() -> None:
    stage = Knn(k=9).fit(features([0.0], [1.0], [2.0]), np.array(["a", "b", "b"]))
    np.testing.assert_allclose(stage.predict(features([0.1])).scores, [[1 / 3.5, 2.5 / 3.5]])


def test_errors_say_what_to_do() -> None:
    with pytest.raises(RunError, match="knn: nearest neighbours need training images with labels"):
        Knn().fit(features([1.0]))
    with pytest.raises(RunError, match=r"knn: metric: chi2 .* use metric: l1 or l2"):
        Knn(metric="chi2").fit(features([-1.0]), np.array(["a"]))
