from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from cvpipe import threads
from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.spec import build_stage
from cvpipe.stages.classifiers.perceptron import Perceptron
from cvpipe.stages.classifiers.ridge import Ridge
from cvpipe.stages.classifiers.softmax import Softmax
from cvpipe.vision.perceptron import perceptron


def blobs(rows: int = 240, width: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, rows)
    centre = 1.2 * np.random.default_rng(9).normal(size=(3, width))
    return (centre[truth] + rng.normal(size=(rows, width))).astype(np.float32), np.array(
        ["ant", "bee", "cow"]
    )[truth]


@pytest.mark.parametrize("cost", [0.01, 1.0, 20.0])
def test_softmax_has_the_probabilities_of_scikit_learn(cost: float) -> None:
    from sklearn.linear_model import LogisticRegression

    (x, y), (other, _) = blobs(), blobs(seed=1)
    want = LogisticRegression(C=cost, tol=1e-8, max_iter=10_000).fit(x.astype(float), y)
    stage = Softmax(C=cost, tolerance=1e-7).fit(Features(values=x), y)
    got = stage.predict(Features(values=other))
    np.testing.assert_allclose(got.scores, want.predict_proba(other.astype(float)), atol=2e-3)
    np.testing.assert_allclose(got.scores.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(stage.coef_.T, want.coef_, atol=0.01 * np.abs(want.coef_).max())


def test_softmax_of_large_scores_is_finite() -> None:
    x, y = blobs()
    got = Softmax().fit(Features(values=1e4 * x), y).predict(Features(values=1e4 * x))
    assert np.isfinite(got.scores).all()
    assert (got.labels == y).mean() > 0.9


def optimum(x: np.ndarray, truth: np.ndarray, cost: float) -> float:
    """The least |w|^2 / 2 - cost * sum of log p, by Newton's method in float64 on standardized columns."""
    classes = int(truth.max()) + 1
    spread = x.astype(float).std(axis=0)
    x = np.hstack([(x - x.mean(axis=0, dtype=float)) / spread, np.ones((len(x), 1))])
    penalty = np.tile(np.append(spread**-2, 0), classes)
    w = np.zeros(len(penalty))

    def value(w: np.ndarray) -> float:
        scores = log_softmax(x @ w.reshape(classes, -1).T, axis=1)
        return float(penalty @ w**2 / 2 - cost * scores[np.arange(len(x)), truth].sum())

    for _ in range(200):
        p = softmax(x @ w.reshape(classes, -1).T, axis=1)
        slope = penalty * w + cost * ((p - np.eye(classes)[truth]).T @ x).ravel()
        curves = p[:, :, None] * (np.eye(classes) - p[:, None, :])
        hessian = cost * np.einsum("njk,nd,ne->jdke", curves, x, x).reshape(len(w), len(w))
        step = -np.linalg.lstsq(hessian + np.diag(penalty), slope, rcond=1e-13)[0]
        length = 1.0
        while length > 1e-9 and value(w + length * step) > value(w) + 1e-4 * length * (slope @ step):
            length /= 2
        w = w + length * step
        if -slope @ step < 1e-10 * value(w):
            break
    return value(w)


@pytest.mark.parametrize(
    ("spread", "offset", "cost"), [(0, 0, 1.0), (1, 0, 100.0), (2, 30, 1.0), (3, 300, 1.0)]
)
def test_softmax_of_unequal_columns_reaches_the_minimum(spread: float, offset: float, cost: float) -> None:
    x, y = blobs(150, 12)
    x = ((x @ np.tri(12) + offset) * np.logspace(-spread, spread, 12)).astype(np.float32)
    truth = np.unique(y, return_inverse=True)[1]
    stage = Softmax(C=cost).fit(Features(values=x), y)
    scores = log_softmax(x.astype(float) @ stage.coef_.astype(float) + stage.intercept_, axis=1)
    loss = -scores[np.arange(len(x)), truth].sum()
    got = (stage.coef_.astype(float) ** 2).sum() / 2 + cost * loss
    np.testing.assert_allclose(got, optimum(x, truth, cost), rtol=1e-3)


def test_softmax_tells_that_its_iterations_did_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("cvpipe.fitting.warn", told.append)
    x, y = blobs()
    Softmax(iterations=2).fit(Features(values=x), y)
    assert told == ["softmax is not at its minimum after 2 iterations: standardize features"]


@pytest.mark.parametrize(("rows", "width"), [(240, 8), (40, 90), (1700, 5)])
@pytest.mark.parametrize("penalty", [0.1, 30.0])
def test_ridge_has_the_scores_of_scikit_learn(rows: int, width: int, penalty: float) -> None:
    from sklearn.linear_model import RidgeClassifier

    (x, y), (other, _) = blobs(rows, width), blobs(50, width, seed=1)
    want = RidgeClassifier(alpha=penalty).fit(x.astype(float), y).decision_function(other.astype(float))
    got = Ridge(penalty=penalty).fit(Features(values=x), y).predict(Features(values=other)).scores
    np.testing.assert_allclose(got, want, atol=1e-4)


@pytest.mark.parametrize("averaged", [False, True])
def test_the_rule_is_that_of_scikit_learn(averaged: bool) -> None:
    from sklearn.linear_model import SGDClassifier

    x, y = blobs()
    targets = np.where(y[:, None] == np.array(["ant", "bee", "cow"]), 1.0, -1.0)
    order = list(range(len(x))) * 3
    weights, bias = perceptron(x, targets, order, averaged)
    want = SGDClassifier(
        loss="perceptron",
        penalty=None,
        alpha=1e-4,
        learning_rate="constant",
        eta0=1,
        shuffle=False,
        max_iter=3,
        tol=None,
        average=averaged,
    ).fit(x.astype(float), y)
    np.testing.assert_allclose(weights.T, want.coef_, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(bias, want.intercept_, rtol=1e-4, atol=1e-4)


def test_a_perceptron_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (200, 2)).astype(np.float32)
    x = x[np.abs(x[:, 0] + x[:, 1] - 0.3) > 0.1]
    y = np.where(x[:, 0] + x[:, 1] > 0.3, "over", "under")
    stage = Perceptron(epochs=200, averaged=False, seed=0).fit(Features(values=x), y)
    assert stage.predict(Features(values=x)).labels.tolist() == y.tolist()


def test_the_order_of_the_images_is_drawn_by_the_seed() -> None:
    x, y = blobs()
    coefs = [Perceptron(epochs=1, seed=s).fit(Features(values=x), y).coef_ for s in (0, 0, 1)]
    np.testing.assert_array_equal(coefs[0], coefs[1])
    assert not np.array_equal(coefs[0], coefs[2])


@pytest.mark.parametrize("word", ["softmax", "ridge", "perceptron"])
def test_threads_change_nothing_and_bad_labels_are_told(word: str) -> None:
    x, y = blobs(1300)
    alone = build_stage(word).fit(Features(values=x), y).predict(Features(values=x)).scores
    with threads.allow(2):
        together = build_stage(word).fit(Features(values=x), y).predict(Features(values=x)).scores
    np.testing.assert_array_equal(alone, together)
    with pytest.raises(RunError, match=f"{word}: it learns from labels, and there are none"):
        build_stage(word).fit(Features(values=x))
    with pytest.raises(RunError, match=f"{word}: it needs two classes, the training images are all 'a'"):
        build_stage(word).fit(Features(values=x), np.full(len(x), "a"))
