from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stages.classifiers._training import inner_folds
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.vision.kernels import similarities


def histograms(rows: int = 150, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    x = rng.gamma(0.5 + 0.7 * (np.arange(20) % classes == y[:, None]))
    return (x / x.sum(axis=1, keepdims=True)).astype(np.float32), np.array(["cat", "dog", "emu"])[y]


def kernel_machine(table: np.ndarray, target: np.ndarray, cost: float) -> tuple[np.ndarray, float]:
    """Coefficients of the rows and the bias: LIBLINEAR on the eigenvectors of the kernel matrix, all in float64."""
    from sklearn.svm import LinearSVC

    values, vectors = eigh(table)
    kept = values > 1e-9 * values.max()
    roots, vectors = np.sqrt(values[kept]), vectors[:, kept]
    linear = LinearSVC(C=cost, dual=False, tol=1e-9, max_iter=100_000).fit(vectors * roots, target)
    return vectors @ (linear.coef_[0] / roots), float(linear.intercept_[0])


@pytest.mark.parametrize("kernel", ["chi2", "intersection", "rbf", "laplacian"])
def test_kernel_machines_are_exact(kernel: Any) -> None:
    (x, y), (other, _) = histograms(), histograms(seed=1)
    stage = Svm(kernel=kernel, C=2.0, seed=0).fit(Features(values=x), y)
    got = stage.predict(Features(values=other))
    table = similarities(kernel, x, x, stage.gamma_).astype(float)
    for k, name in enumerate(["cat", "dog", "emu"]):
        a, b = kernel_machine(table, np.where(y == name, 1.0, -1.0), 2.0)
        want = similarities(kernel, other, x, stage.gamma_) @ a + b
        np.testing.assert_allclose(got.scores[:, k], want, atol=5e-3 * np.abs(want).max())


def test_the_linear_machine_is_that_of_liblinear() -> None:
    from sklearn.svm import LinearSVC

    x, y = histograms()
    got = Svm(C=50.0).fit(Features(values=x), y).predict(Features(values=x))
    want = LinearSVC(C=50.0, dual=False, tol=1e-9, max_iter=100_000).fit(x.astype(float), y)
    np.testing.assert_allclose(got.scores, want.decision_function(x.astype(float)), atol=1e-3)
    assert got.labels.tolist() == want.predict(x.astype(float)).tolist()


def test_two_classes_are_one_problem() -> None:
    from sklearn.svm import LinearSVC

    x, y = histograms(classes=2)
    got = Svm(C=5.0).fit(Features(values=x), y).predict(Features(values=x))
    want = LinearSVC(C=5.0, dual=False, tol=1e-9).fit(x.astype(float), y).decision_function(x.astype(float))
    assert got.classes.tolist() == ["cat", "dog"]
    np.testing.assert_allclose(got.scores, np.column_stack([-want, want]), atol=1e-3)


def test_balanced_classes_cost_the_same_in_all() -> None:
    from sklearn.svm import LinearSVC

    x, y = histograms()
    keep = np.concatenate([np.flatnonzero(y == "cat")[:5], np.flatnonzero(y != "cat")])
    x, y = x[keep], y[keep]
    weight = {name: len(y) / (3 * (y == name).sum()) for name in np.unique(y)}
    got = Svm(C=3.0, class_weight="balanced").fit(Features(values=x), y).predict(Features(values=x))
    want = LinearSVC(C=3.0, dual=False, tol=1e-9, max_iter=100_000)
    want.fit(x.astype(float), y, sample_weight=[weight[name] for name in y])
    np.testing.assert_allclose(got.scores, want.decision_function(x.astype(float)), atol=1e-3)


def test_few_landmarks_are_drawn_by_seed_and_nearly_as_good() -> None:
    (x, y), (other, truth) = histograms(800), histograms(400, seed=1)
    exact = Svm(kernel="chi2", seed=0).fit(Features(values=x), y).predict(Features(values=other))
    few = Svm(kernel="chi2", landmarks=200, seed=0).fit(Features(values=x), y)
    assert few.support_.shape == (200, 20)
    again = Svm(kernel="chi2", landmarks=200, seed=0).fit(Features(values=x), y)
    np.testing.assert_array_equal(few.coef_, again.coef_)
    assert not np.array_equal(
        Svm(kernel="chi2", landmarks=200, seed=1).fit(Features(values=x), y).support_, few.support_
    )
    accuracy = (few.predict(Features(values=other)).labels == truth).mean()
    assert accuracy > (exact.labels == truth).mean() - 0.03


@pytest.mark.parametrize("kernel", ["linear", "chi2", "intersection", "rbf", "laplacian"])
def test_images_without_features_and_constant_features_are_legal(kernel: Any) -> None:
    x, y = histograms()
    x[:40] = 0
    x[:, 3] = 0.5
    got = Svm(kernel=kernel, seed=0).fit(Features(values=x), y).predict(Features(values=np.zeros_like(x)))
    assert np.isfinite(got.scores).all()


def test_errors_say_what_to_do() -> None:
    x, y = histograms()
    features = Features(values=x)
    with pytest.raises(RunError, match="svm: it learns from labels, and there are none"):
        Svm().fit(features)
    with pytest.raises(RunError, match="svm: it needs two classes, the training images are all 'cat'"):
        Svm().fit(features, np.full(len(x), "cat"))
    for kernel in ("chi2", "intersection"):
        with pytest.raises(RunError, match=f"svm: kernel: {kernel} .* use kernel: rbf or linear"):
            Svm(kernel=kernel, seed=0).fit(Features(values=x - 0.1), y)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="svm: all features of the training images are zero"):
        Svm(kernel="intersection", seed=0).fit(Features(values=np.zeros_like(x)), y)


def folds_of(stage: Svm, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The stage's inner folds, as scikit-learn takes them."""
    fold = inner_folds(stage, np.unique(y, return_inverse=True)[1])
    return [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(stage.folds)]


@pytest.mark.parametrize(
    ("kernel", "classes"),
    [("linear", 2), ("linear", 3), ("chi2", 2), pytest.param("chi2", 3, marks=pytest.mark.slow)],
)
def test_the_search_takes_the_c_that_grid_search_takes(kernel: Any, classes: int) -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.svm import LinearSVC

    x, y = histograms(240, classes, seed=2)
    stage = Svm(kernel=kernel, C="search", gamma=2.0, folds=4, seed=0).fit(Features(values=x), y)
    rows = x.astype(float)
    if kernel == "chi2":
        values, vectors = eigh(similarities("chi2", x, x, 2.0).astype(float))
        kept = values > 1e-9 * values.max()
        rows = vectors[:, kept] * np.sqrt(values[kept])
    machine = LinearSVC(dual=False, tol=1e-8, max_iter=100_000)
    theirs = GridSearchCV(machine, {"C": list(stage.grid)}, cv=folds_of(stage, y), refit=False).fit(rows, y)
    assert len(set(np.round(stage.accuracies_, 3))) > 3, (
        "the values of C must differ for the test to say anything"
    )
    np.testing.assert_allclose(stage.accuracies_, theirs.cv_results_["mean_test_score"], atol=1.01 / len(y))
    assert theirs.best_params_["C"] == stage.C_
    plain = Svm(kernel=kernel, C=stage.C_, gamma=2.0, seed=0).fit(Features(values=x), y)
    np.testing.assert_array_equal(stage.coef_, plain.coef_)


def test_of_equally_good_c_the_smallest_is_taken_in_any_order_of_the_grid() -> None:
    x = np.repeat(np.eye(3, dtype=np.float32), 20, axis=0)
    y = np.repeat(["cat", "dog", "emu"], 20)
    stage = Svm(C="search", grid=(8.0, 0.5, 2.0), seed=0).fit(Features(values=x), y)
    np.testing.assert_array_equal(stage.accuracies_, 1)
    assert stage.C_ == 0.5


def test_the_search_sees_training_rows_only_and_repeats() -> None:
    x, y = histograms(90)
    one, two = (Svm(C="search", seed=0).fit(Features(values=x), y) for _ in range(2))
    np.testing.assert_array_equal(one.accuracies_, two.accuracies_)
    other = Svm(C="search", seed=1).fit(Features(values=x), y)
    assert not np.array_equal(one.accuracies_, other.accuracies_)


def test_a_class_with_one_image_can_be_searched() -> None:
    x, y = histograms(40)
    y = np.where(np.arange(40) == 7, "fox", y)
    stage = Svm(C="search", probability=True, seed=0).fit(Features(values=x), y)
    got = stage.predict(Features(values=x)).scores
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(classes: int) -> None:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import LinearSVC

    (x, y), (other, _) = histograms(300, classes), histograms(100, classes, seed=1)
    stage = Svm(C=5.0, probability=True, seed=0).fit(Features(values=x), y)
    got = stage.predict(Features(values=other)).scores
    machine = LinearSVC(C=5.0, dual=False, tol=1e-9, max_iter=100_000)
    theirs = CalibratedClassifierCV(machine, method="sigmoid", cv=folds_of(stage, y), ensemble=False)
    np.testing.assert_allclose(
        got, theirs.fit(x.astype(float), y).predict_proba(other.astype(float)), atol=2e-3
    )
    assert got.dtype == np.float32


def test_probabilities_are_calibrated() -> None:
    """Of images said to be a class with a chance near p, a share near p are; decision values say nothing of that."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 6000)
    x = (rng.normal(size=(6000, 3)) + 1.2 * np.eye(3)[truth]).astype(np.float32)
    names = np.array(["cat", "dog", "emu"])[truth]
    hit = names[2000:, None] == np.unique(names)

    def off(probability: bool) -> float:
        stage = Svm(C=0.1, probability=probability, seed=0).fit(Features(values=x[:2000]), names[:2000])
        said = stage.predict(Features(values=x[2000:])).scores.astype(float)
        said = said if probability else np.exp(said) / np.exp(said).sum(axis=1, keepdims=True)
        bins = np.clip((said * 10).astype(int), 0, 9).ravel()
        return float(np.abs(np.bincount(bins, said.ravel() - hit.ravel())).sum() / said.size)

    assert off(probability=True) < 0.04
    assert off(probability=False) > 0.08


@pytest.mark.parametrize("classes", [2, 3])
def test_more_columns_than_rows_is_the_same_machine(classes: int) -> None:
    from sklearn.svm import LinearSVC

    (x, y), (other, _) = histograms(60, classes), histograms(30, classes, seed=1)
    wide = np.random.default_rng(0).normal(size=(20, 500)).astype(np.float32)
    rows, later = np.abs(x @ wide), np.abs(other @ wide)
    got = Svm(C=3.0).fit(Features(values=rows), y)
    assert got.coef_.shape[0] == 500
    want = LinearSVC(C=3.0, dual=False, tol=1e-9, max_iter=100_000).fit(rows.astype(float), y)
    scores = got.predict(Features(values=later)).scores
    theirs = want.decision_function(later.astype(float))
    np.testing.assert_allclose(
        scores if classes > 2 else scores[:, 1], theirs, atol=5e-3 * np.abs(theirs).max()
    )


def test_features_of_zeros_are_legal_for_the_linear_machine() -> None:
    x, y = np.zeros((9, 20), np.float32), np.array(["cat", "dog", "emu"] * 3)
    got = Svm(C="search", probability=True, seed=0).fit(Features(values=x), y).predict(Features(values=x))
    np.testing.assert_allclose(got.scores, 1 / 3, atol=0.05)


def test_the_search_is_shown_and_says_when_the_grid_ends() -> None:
    x, y = histograms(90)
    features = Features(values=x)
    assert not Svm().fit(features, y).exhibits()
    (shown,) = Svm(C="search", grid=(8.0, 0.5, 2.0), seed=0).fit(features, y).exhibits()
    ((name, (at, accuracy)),) = shown.series.items()  # type: ignore[union-attr]
    assert (name, at.tolist()) == ("mean of 5 inner folds", [-1, 1, 3])
    assert accuracy.shape == (3,)
    (end,) = Svm(C="search", grid=(1e-6, 1e-5, 1.0), seed=0).fit(features, y).exhibits()
    assert end.note == "C = 1 was taken. It is the end of the grid: a wider one may do better."
