from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cvpipe import Pipeline
from cvpipe.conductor.load import load
from cvpipe.conductor.seeding import seeded
from cvpipe.data import Features, Predictions
from cvpipe.spec import build_stage
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers.ensemble import Ensemble
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.classifiers.random_forest import RandomForest
from cvpipe.stages.classifiers.ridge import Ridge
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.features.raw_pixels import RawPixels


class Told(Classifier):
    """Scores as told, whatever the features. Source: none."""

    scores: Any = None  # rows of scores

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Told:
        self.classes_ = np.unique(labels)
        return self

    def predict(self, features: Features) -> Predictions:
        return Predictions(scores=np.array(self.scores, np.float32), classes=self.classes_)


LABELS = np.array(["a", "b", "c"])
NOTHING = Features(values=np.zeros((3, 1), np.float32))


def blobs(seed: int = 0) -> tuple[Features, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, 120)
    x = np.random.default_rng(9).normal(size=(3, 6))[truth] + rng.normal(size=(120, 6))
    return Features(values=x.astype(np.float32)), LABELS[truth]


def test_the_mean_is_of_scores_of_one_spread() -> None:
    (x, y), (other, _) = blobs(), blobs(1)
    got = Ensemble(first=Svm(C=0.1), second=Knn(k=9), third=Ridge()).fit(x, y).predict(other).scores
    want = np.zeros_like(got)
    for member in (Svm(C=0.1), Knn(k=9), Ridge()):
        seen = member.fit(x, y).predict(x).scores
        scores = member.predict(other).scores
        want += (scores - scores.mean(1)[:, None]) / (seen - seen.mean(1)[:, None]).std() / 3
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_the_scale_of_a_members_scores_does_not_matter() -> None:
    scores = np.random.default_rng(0).random((3, 3))
    other = np.random.default_rng(1).random((3, 3))
    both = [Ensemble(first=Told(scores=k * scores + 5), second=Told(scores=other)) for k in (1, 1000)]
    got = [stage.fit(NOTHING, LABELS).predict(NOTHING).scores for stage in both]
    np.testing.assert_allclose(got[0], got[1], rtol=1e-3, atol=1e-4)


def test_most_votes_win_and_scores_break_ties() -> None:
    members = [
        Told(scores=[[1, 0, 0], [1, 0, 0], [0, 0, 1]]),
        Told(scores=[[1, 0, 0], [0, 4, 0], [0, 0, 1]]),
        Told(scores=[[0, 9, 0], [0, 0, 1], [0, 0, 1]]),
    ]
    stage = Ensemble(first=members[0], second=members[1], third=members[2], combine="vote")
    got = stage.fit(NOTHING, LABELS).predict(NOTHING)
    np.testing.assert_allclose(got.scores[0], np.array([2.5, 1, 0]) / 3.5, rtol=1e-6)
    assert got.scores[1].max() == np.float32(1.5 / 3.5)  # one vote each
    np.testing.assert_allclose(got.scores.sum(axis=1), 1, rtol=1e-6)
    mean = (
        Ensemble(first=members[0], second=members[1], third=members[2]).fit(NOTHING, LABELS).predict(NOTHING)
    )
    assert got.labels[1] == mean.labels[1]
    assert got.labels.tolist()[::2] == ["a", "c"]


def test_members_are_parameters_and_stay_as_they_are() -> None:
    stage = build_stage("ensemble", {"first": {"knn": {"k": 3}}, "second": "ridge", "combine": "vote"})
    assert isinstance(stage, Ensemble)
    assert stage.get_params()["first__k"] == 3
    stage.set_params(first__k=5)
    x, y = blobs()
    stage.fit(x, y)
    assert isinstance(stage.first, Knn)
    assert not hasattr(stage.first, "rows_")
    filled = seeded([Ensemble(first=RandomForest(), second=RandomForest())], 0)[0]
    assert filled.first.seed != filled.second.seed  # type: ignore[attr-defined]


def test_a_saved_ensemble_predicts_the_same(tmp_path: Any) -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 8, 8), dtype=np.uint8)
    ensemble = Ensemble(first=RandomForest(trees=5), second=Knn(), third=Svm(kernel="rbf"))
    pipeline = Pipeline([RawPixels(size=4), ensemble]).fit(images, np.array(["x", "y"] * 12))
    pipeline.save(tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.predictions(images).scores, pipeline.predictions(images).scores)


def test_it_does_better_than_its_members() -> None:
    (x, y), (other, truth) = blobs(), blobs(1)
    members = [Knn(k=1), RandomForest(trees=20, seed=0), Ridge()]
    alone = [(m.fit(x, y).predict(other).labels == truth).mean() for m in members]
    stage = Ensemble(first=members[0], second=members[1], third=members[2])
    together = (stage.fit(x, y).predict(other).labels == truth).mean()
    assert together > np.mean(alone)


def test_an_unknown_member_is_told() -> None:
    from cvpipe.errors import SpecError

    with pytest.raises(SpecError, match="stage 'sift' is no classifier"):
        build_stage("ensemble", {"first": "sift"})
