"""Locality-constrained linear coding against the equations of Wang 2010, one descriptor after the other."""

from __future__ import annotations

import numpy as np
import pytest
from vectors import clusters, descriptors

from cvpipe.errors import RunError
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.llc import Llc
from cvpipe.stages.features.spatial_pyramid import SpatialPyramid
from cvpipe.vision.llc import locality_codes


def code(row: np.ndarray, words: np.ndarray, neighbours: int, ridge: float) -> np.ndarray:
    """(k,) weights: equation 7 on the nearest words."""
    near = ((words - row) ** 2).sum(axis=1).argsort()[:neighbours]
    shifted = words[near] - row
    covariance = shifted @ shifted.T
    covariance += ridge * np.trace(covariance) * np.eye(len(near))
    solved = np.linalg.solve(covariance, np.ones(len(near)))
    weights = np.zeros(len(words))
    weights[near] = solved / solved.sum()
    return weights


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_codes_follow_the_equation_and_are_pooled(pooling: str) -> None:
    batch = clusters([1500, 0, 1, 40], width=16)
    stage = Llc(words=30, neighbours=4, pooling=pooling, seed=0).fit(batch)
    got = stage.transform(batch).values
    assert got.shape == (4, 30)
    assert got.dtype == np.float32
    assert not got[1].any()
    words = stage.vocabulary_.astype(float)
    for image in (0, 2, 3):
        codes = [code(row.astype(float), words, 4, 1e-4) for row in batch.values[batch.rows(image)]]
        want = np.mean(codes, axis=0) if pooling == "mean" else np.maximum(np.max(codes, axis=0), 0)
        np.testing.assert_allclose(got[image], want, atol=2e-4)


def test_weights_are_the_constrained_minimum() -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    words, row = rng.normal(size=(5, 8)), rng.normal(size=8)
    _, weights = locality_codes(row[None].astype(np.float32), words.astype(np.float32), 5, 0.05)
    shifted = words - row
    penalty = 0.05 * (shifted**2).sum()
    found = minimize(
        lambda c: ((row - c @ words) ** 2).sum() + penalty * (c**2).sum(),
        np.full(5, 0.2),
        constraints={"type": "eq", "fun": lambda c: c.sum() - 1},
    )
    near = ((words - row) ** 2).sum(axis=1).argsort()
    np.testing.assert_allclose(weights[0], found.x[near], atol=1e-4)


def test_a_descriptor_that_is_a_word_has_that_word() -> None:
    words = np.eye(6, dtype=np.float32)
    index, weights = locality_codes(words, words, 3, 1e-4)
    assert index[:, 0].tolist() == list(range(6))
    np.testing.assert_allclose(weights[:, 0], 1, atol=1e-3)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_equal_words_share_the_weight() -> None:
    _, weights = locality_codes(np.ones((1, 4), np.float32), np.ones((3, 4), np.float32), 3, 1e-4)
    np.testing.assert_allclose(weights, 1 / 3, rtol=1e-6)


def test_more_words_than_descriptors_and_more_neighbours_than_words() -> None:
    batch = descriptors([3, 1])
    stage = Llc(words=50, neighbours=9, seed=0).fit(batch)
    assert stage.vocabulary_.shape == (4, 8)
    got = stage.transform(batch).values
    assert got.shape == (2, 50)
    assert np.isfinite(got).all()
    assert not got[:, 4:].any()


@pytest.mark.parametrize("encoder", [Llc(words=12, seed=0), BagOfWords(words=12, assignment="soft", seed=0)])
def test_a_pyramid_codes_once_what_cells_would_code_apart(encoder: Llc | BagOfWords) -> None:
    batch = clusters([300, 0, 2])
    stage = SpatialPyramid(levels=(1, 2), encoder=encoder).fit(batch)
    got = stage.transform(batch).values.reshape(3, 5, 12)
    whole = stage.encoder_.transform(batch).values
    np.testing.assert_allclose(got[:, 0], whole, atol=1e-6)
    top_left = batch[[0]]
    inside = (top_left.xy[:, 0] + 0.5 < 45) & (top_left.xy[:, 1] + 0.5 < 30)
    cell = stage.encoder_.transform(top_left.take_rows(np.flatnonzero(inside))).values[0]
    np.testing.assert_allclose(got[0, 1], cell, atol=1e-6)
    assert not got[1].any()


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="llc: the training images have no descriptors to learn words from"):
        Llc().fit(descriptors([0, 0]))
    stage = Llc(words=3, seed=0).fit(descriptors([20]))
    with pytest.raises(RunError, match="llc: descriptors are 16 numbers long, the words 8"):
        stage.transform(descriptors([4], width=16))
