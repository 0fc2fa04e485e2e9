from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import eigh

from cvpipe.data import Features
from cvpipe.errors import RunError
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
    with pytest.raises(RunError, match="svm: an SVM learns from labels"):
        Svm().fit(features)
    with pytest.raises(RunError, match="svm: an SVM needs two classes, the training images are all 'cat'"):
        Svm().fit(features, np.full(len(x), "cat"))
    for kernel in ("chi2", "intersection"):
        with pytest.raises(RunError, match=f"svm: kernel: {kernel} .* use kernel: rbf or linear"):
            Svm(kernel=kernel, seed=0).fit(Features(values=x - 0.1), y)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="svm: all features of the training images are zero"):
        Svm(kernel="intersection", seed=0).fit(Features(values=np.zeros_like(x)), y)
