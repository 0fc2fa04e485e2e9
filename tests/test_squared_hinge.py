from __future__ import annotations

import numpy as np
import pytest

from cvpipe.vision.squared_hinge import squared_hinge


def problem(rows: int = 400, width: int = 30, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Features of unequal spread and classes that overlap."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(rows, width)) * rng.uniform(0.1, 2, width)).astype(np.float32)
    y = (x @ rng.normal(size=(width, classes)) + 2 * rng.normal(size=(rows, classes))).argmax(axis=1)
    return x, y


def targets(y: np.ndarray) -> np.ndarray:
    return np.where(y[:, None] == np.unique(y), 1, -1)


def objective(
    weights: np.ndarray, bias: np.ndarray, x: np.ndarray, t: np.ndarray, c: np.ndarray
) -> np.ndarray:
    weights, bias = weights.astype(float), bias.astype(float)
    loss = np.maximum(1 - t * (x.astype(float) @ weights + bias), 0) ** 2
    return (weights**2).sum(axis=0) / 2 + bias**2 / 2 + c @ loss


@pytest.mark.parametrize("cost", [1e-3, 1.0, 100.0])
def test_objective_and_solution_are_those_of_liblinear(cost: float) -> None:
    from sklearn.svm import LinearSVC

    x, y = problem()
    c = np.full(len(y), cost)
    weights, bias = squared_hinge(x, targets(y), c)
    want = LinearSVC(C=cost, dual=False, tol=1e-9, max_iter=100_000).fit(x.astype(float), y)
    ours, theirs = objective(weights, bias, x, targets(y), c), objective(
        want.coef_.T, want.intercept_, x, targets(y), c
    )  # fmt: skip
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    np.testing.assert_allclose(weights, want.coef_.T, atol=1e-3 * np.abs(want.coef_).max())
    np.testing.assert_allclose(bias, want.intercept_, atol=1e-3 * np.abs(want.intercept_).max())


def test_costs_belong_to_rows() -> None:
    from sklearn.svm import LinearSVC

    x, y = problem()
    c = np.random.default_rng(1).uniform(0.01, 3, len(y))
    weights, _ = squared_hinge(x, targets(y), c)
    want = LinearSVC(dual=False, tol=1e-9, max_iter=100_000).fit(x.astype(float), y, sample_weight=c)
    np.testing.assert_allclose(weights, want.coef_.T, atol=1e-3 * np.abs(want.coef_).max())


def test_more_columns_than_rows_and_separable_classes() -> None:
    from sklearn.svm import LinearSVC

    x, y = problem(rows=40, width=300, classes=2)
    t = targets(y)[:, 1:]
    weights, bias = squared_hinge(x, t, np.full(40, 1e2))
    assert (np.sign(x @ weights + bias) == t).all()
    want = LinearSVC(C=1e2, dual=True, tol=1e-9, max_iter=100_000).fit(x.astype(float), y)
    costs = np.full(40, 1e2)
    best = objective(want.coef_.T, want.intercept_, x, t, costs)
    np.testing.assert_allclose(objective(weights, bias, x, t, costs), best, rtol=1e-4)
    # So large costs leave float32 no more than this.
    assert np.linalg.norm(weights[:, 0] - want.coef_[0]) < 5e-3 * np.linalg.norm(want.coef_)


def test_features_that_say_nothing_leave_the_bias_alone() -> None:
    # Three of +1, one of -1: the minimum of b^2 / 2 + 3 (1 - b)^2 + (1 + b)^2 is at b = 4 / 9.
    _, bias = squared_hinge(np.zeros((4, 2), np.float32), np.array([[1], [1], [1], [-1]]), np.ones(4))
    np.testing.assert_allclose(bias, 4 / 9, rtol=1e-5)
