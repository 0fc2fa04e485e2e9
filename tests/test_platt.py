"""Sigmoids of scores against scikit-learn's, and the folds they are learned on."""

from __future__ import annotations

import numpy as np
import pytest

from cvpipe.vision.cross_validation import held_out_scores, stratified_folds
from cvpipe.vision.platt import fit_sigmoids, shares, sigmoids
from cvpipe.vision.squared_hinge import squared_hinge


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
def test_sigmoids_are_those_of_scikit_learn(unit: float) -> None:
    from sklearn.calibration import _sigmoid_calibration

    rng = np.random.default_rng(0)
    positive = rng.random((200, 3)) < (0.5, 0.1, 0.9)
    scores = unit * (rng.normal(size=(200, 3)) + 1.5 * positive)
    got = sigmoids(scores, fit_sigmoids(scores, positive))
    for j in range(3):
        a, b = _sigmoid_calibration(scores[:, j], positive[:, j])
        np.testing.assert_allclose(got[:, j], 1 / (1 + np.exp(a * scores[:, j] + b)), atol=1e-3)


def test_scores_that_separate_or_say_nothing() -> None:
    positive = np.arange(10)[:, None] < 4
    apart = fit_sigmoids(np.where(positive, 1.0, -1.0), positive)
    # Platt's targets: (N+ + 1) / (N+ + 2) and 1 / (N- + 2).
    np.testing.assert_allclose(sigmoids(np.array([[1.0], [-1.0]]), apart), [[5 / 6], [1 / 8]], atol=1e-4)
    same = fit_sigmoids(np.zeros((10, 1)), positive)
    np.testing.assert_allclose(sigmoids(np.zeros((1, 1)), same), (4 * 5 / 6 + 6 / 8) / 10, atol=1e-4)


def test_shares_sum_to_one() -> None:
    got = shares(np.array([[0.1, 0.3], [0, 0]]))
    np.testing.assert_allclose(got, [[0.25, 0.75], [0.5, 0.5]])


def test_folds_are_stratified_and_even() -> None:
    truth = np.repeat([0, 1, 2], [23, 11, 1])
    fold = stratified_folds(truth, 5, np.random.default_rng(0))
    for c in range(3):
        counts = np.bincount(fold[truth == c], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert np.ptp(np.bincount(fold, minlength=5)) <= 1
    assert not np.array_equal(fold, stratified_folds(truth, 5, np.random.default_rng(1)))


def test_held_out_scores_are_of_machines_that_did_not_see_the_row() -> None:
    rng = np.random.default_rng(0)
    rows, fold = rng.normal(size=(60, 5)).astype(np.float32), np.arange(60) % 3
    targets = np.where(rng.random((60, 2)) < 0.5, 1, -1).astype(np.float32)
    weights = rng.uniform(0.5, 2, 60)
    got = held_out_scores(rows, targets, weights, fold, (4.0, 0.25))
    for c, cost in enumerate((4.0, 0.25)):
        for f in range(3):
            w, b = squared_hinge(rows[fold != f], targets[fold != f], cost * weights[fold != f])
            np.testing.assert_allclose(got[c, fold == f], rows[fold == f] @ w + b, atol=5e-3)
