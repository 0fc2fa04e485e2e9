from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cvpipe.data import Features
from cvpipe.errors import RunError, SpecError
from cvpipe.spec import build_stage, load_spec
from cvpipe.stages.classifiers._training import inner_folds
from cvpipe.stages.classifiers.calibrated import Calibrated
from cvpipe.stages.classifiers.perceptron import Perceptron
from cvpipe.stages.classifiers.random_forest import RandomForest
from cvpipe.stages.classifiers.ridge import Ridge
from cvpipe.stages.classifiers.svm import Svm

NAMES = np.array(["cat", "dog", "emu"])


def clouds(rows: int, seed: int = 0) -> tuple[Features, np.ndarray]:
    """Three classes that overlap, in three dimensions."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, rows)
    return Features(values=(rng.normal(size=(rows, 3)) + 1.2 * np.eye(3)[truth]).astype(np.float32)), NAMES[
        truth
    ]


def off(said: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error over ten bins."""
    bins = np.clip((said * 10).astype(int), 0, 9).ravel()
    hit = (truth[:, None] == NAMES).ravel()
    return float(np.abs(np.bincount(bins, said.ravel() - hit)).sum() / said.size)


def test_it_is_scikit_learns() -> None:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.linear_model import RidgeClassifier

    (features, labels), (later, _) = clouds(300), clouds(80, seed=1)
    stage = Calibrated(classifier=Ridge(penalty=2.0), folds=4, seed=0).fit(features, labels)
    fold = inner_folds(stage, np.searchsorted(NAMES, labels))
    folds = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(4)]
    theirs = CalibratedClassifierCV(RidgeClassifier(alpha=2.0), method="sigmoid", cv=folds, ensemble=False)
    want = theirs.fit(features.values.astype(float), labels).predict_proba(later.values)
    np.testing.assert_allclose(stage.predict(later).scores, want, atol=2e-3)


@pytest.mark.parametrize("classifier", [Perceptron(seed=0), RandomForest(trees=30, seed=0), Svm(C=0.1)])
def test_chances_come_true(classifier: Any) -> None:
    (features, labels), (later, truth) = clouds(1500), clouds(3000, seed=1)
    got = Calibrated(classifier=classifier, seed=0).fit(features, labels).predict(later)
    np.testing.assert_allclose(got.scores.sum(axis=1), 1, rtol=1e-5)
    assert off(got.scores.astype(float), truth) < 0.05
    assert not hasattr(classifier, "classes_")  # the option is not fitted


def test_scores_of_a_perceptron_say_nothing_of_chances_themselves() -> None:
    (features, labels), (later, truth) = clouds(1500), clouds(3000, seed=1)
    scores = Perceptron(seed=0).fit(features, labels).predict(later).scores.astype(float)
    said = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert off(said, truth) > 0.1  # so the test above can fail


def test_a_class_with_one_image_is_legal() -> None:
    features, labels = clouds(40)
    labels = np.where(np.arange(40) == 3, "fox", labels)
    got = Calibrated(seed=0).fit(features, labels).predict(features)
    assert got.classes.tolist() == ["cat", "dog", "emu", "fox"]
    assert np.isfinite(got.scores).all()


def test_of_two_classes_one_may_have_one_image() -> None:
    """Without it one class is left to learn from."""
    features, _ = clouds(30)
    labels = np.where(np.arange(30) == 3, "fox", "owl")
    got = Calibrated(seed=0).fit(features, labels).predict(features)
    assert got.classes.tolist() == ["fox", "owl"]
    np.testing.assert_allclose(got.scores.sum(axis=1), 1, rtol=1e-5)
    assert got.scores[:, 0].mean() < 0.2


def test_what_was_learned_survives() -> None:
    features, labels = clouds(60)
    stage = Calibrated(classifier=Ridge(), seed=0).fit(features, labels)
    again = Calibrated(classifier=Ridge(), seed=0).restore(stage.state())
    np.testing.assert_array_equal(again.predict(features).scores, stage.predict(features).scores)


def test_errors_and_specs() -> None:
    features, _ = clouds(10)
    with pytest.raises(RunError, match="calibrated: it learns from labels, and there are none"):
        Calibrated().fit(features)
    made = build_stage("calibrated", {"classifier": {"svm": {"C": "search"}}, "folds": 3})
    assert made.get_params()["classifier__C"] == "search"
    with pytest.raises(SpecError, match="stage 'l2' is no classifier"):
        load_spec({"data": "digits", "stages": ["raw_pixels", {"calibrated": {"classifier": "l2"}}]})
