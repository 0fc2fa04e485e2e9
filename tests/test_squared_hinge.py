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


def newton(x: np.ndarray, t: np.ndarray, cost: float) -> float:
    """The minimum for one class, by Newton's method in float64 with exact directions."""
    x = np.hstack([x.astype(float), np.ones((len(x), 1))])
    w = np.zeros(x.shape[1])

    def value(w: np.ndarray) -> float:
        return float(w @ w / 2 + cost * (np.maximum(1 - t * (x @ w), 0) ** 2).sum())

    for _ in range(500):
        loss = np.maximum(1 - t * (x @ w), 0)
        active = x[loss > 0]
        gradient = w - 2 * cost * x.T @ (t * loss)
        if np.linalg.norm(gradient) < 1e-6 * np.linalg.norm(w):
            break
        step = np.linalg.solve(np.eye(len(w)) + 2 * cost * active.T @ active, -gradient)
        length = 1.0
        while length > 1e-9 and value(w + length * step) > value(w) + 1e-4 * length * (gradient @ step):
            length /= 2
        w = w + length * step
    return value(w)


@pytest.mark.parametrize(
    ("scale", "offset", "width", "cost"),
    [(1, 0, 30, 1.0), (30, 0, 150, 1.0), (300, 300, 150, 1.0), (0.3, 1, 60, 1e3), (30, 100, 60, 10.0)],
)
def test_features_that_are_not_normalised_reach_the_minimum_too(
    scale: float, offset: float, width: int, cost: float
) -> None:
    x, y = problem(rows=120, width=width, classes=3)
    x = scale * x + np.float32(offset)
    costs = np.full(len(x), cost)
    weights, bias = squared_hinge(x, targets(y), costs)
    got = objective(weights, bias, x, targets(y), costs)
    want = [newton(x, t, cost) for t in targets(y).T]
    np.testing.assert_allclose(got, want, rtol=1e-3)


def test_what_is_not_solved_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("cvpipe.vision.squared_hinge.NEWTON_STEPS", 2)
    monkeypatch.setattr("cvpipe.fitting.warn", told.append)
    x, y = problem()
    squared_hinge(x, targets(y), np.full(len(y), 10.0))
    assert told == ["4 of 4 classes are not solved after 2 steps: scale features"]
