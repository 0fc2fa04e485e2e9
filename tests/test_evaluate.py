"""Scores against scikit-learn, intervals against a plain loop, SciPy and the binomial distribution."""

from __future__ import annotations

import subprocess
import sys
import warnings
from itertools import pairwise

import numpy as np
import pytest

from cvpipe.conductor import _bootstrap, metrics
from cvpipe.conductor.evaluate import METRICS, Evaluation, beside_baseline, evaluate
from cvpipe.conductor.measured import SplitResult
from cvpipe.data import Predictions
from cvpipe.errors import RunError, SpecError

CLASSES = np.array(["ash", "birch", "cedar", "date"])
ALL = ["accuracy", "balanced_accuracy", "macro_f1"]


def split_of(
    train: np.ndarray, test: np.ndarray, predicted: np.ndarray, classes: np.ndarray = CLASSES
) -> SplitResult:
    """`predicted` are class numbers for the rows in `test`."""
    scores = np.eye(len(classes), dtype=np.float32)[predicted]
    return SplitResult(train, test, Predictions(scores=scores, classes=classes))


def repeated(truth: np.ndarray, folds: int, repeats: int, share: float, seed: int = 0) -> list[SplitResult]:
    """k-fold results in which about `share` of the images keep their class; errors differ between repeats."""
    rng = np.random.default_rng(seed)
    splits = []
    for _ in range(repeats):
        fold = rng.permutation(len(truth)) % folds
        for f in range(folds):
            train, test = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
            wrong = rng.integers(0, len(CLASSES), len(test))
            splits.append(split_of(train, test, np.where(rng.random(len(test)) < share, truth[test], wrong)))
    return splits


def score(truth: np.ndarray, splits: list[SplitResult], **changed: object) -> Evaluation:
    options = {"groups": None, "metrics": ALL, "classes": CLASSES, "seed": 0} | changed
    return evaluate(CLASSES[truth], splits=splits, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("k_true", "k_predicted"), [(4, 4), (2, 4), (4, 1), (3, 2)])
def test_scores_equal_those_of_scikit_learn(seed: int, k_true: int, k_predicted: int) -> None:
    from sklearn import metrics as sk

    rng = np.random.default_rng(seed)
    truth, predicted = rng.integers(0, k_true, 30), rng.integers(0, k_predicted, 30)
    result = score(truth, [split_of(np.arange(30), np.arange(30), predicted)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that only occur in the prediction
        assert result.scores["accuracy"].mean == pytest.approx(sk.accuracy_score(truth, predicted))
        assert result.scores["balanced_accuracy"].mean == pytest.approx(
            sk.balanced_accuracy_score(truth, predicted)
        )
        assert result.scores["macro_f1"].mean == pytest.approx(sk.f1_score(truth, predicted, average="macro"))
        expected = sk.precision_recall_fscore_support(truth, predicted, labels=range(4), zero_division=0)
    np.testing.assert_array_equal(result.confusion, sk.confusion_matrix(truth, predicted, labels=range(4)))
    for name, *numbers in zip(CLASSES, *expected, strict=True):
        assert list(result.per_class[name].values()) == pytest.approx(numbers)
    assert list(result.per_class["ash"]) == ["precision", "recall", "f1", "support"]


def test_scores_work_over_leading_axes_and_empty_ones_are_nan() -> None:
    confusion = np.random.default_rng(0).integers(0, 9, (3, 5, 4, 4))
    confusion[2, 4] = 0
    for function in metrics.SCORES.values():
        together = function(metrics.margins(confusion))
        assert together.shape == (3, 5)
        assert together[1, 2] == function(metrics.margins(confusion[1, 2]))
        assert np.isnan(together[2, 4])


def test_mean_and_deviation_are_over_splits() -> None:
    truth = np.tile(np.arange(4), 6)
    rows = np.arange(24)
    right = [split_of(rows[8:], rows[:8], truth[:8]), split_of(rows[:16], rows[16:], np.zeros(8, int))]
    got = score(truth, right).scores["accuracy"]
    assert got.values == [1.0, 0.25]
    assert (got.mean, got.std) == pytest.approx((0.625, np.std([1, 0.25], ddof=1)))
    assert score(truth, right[1:]).scores["accuracy"].std == 0.0
    assert score(truth, right).confusion.sum() == 16


def test_all_correct_is_an_interval_of_one_point() -> None:
    truth = np.tile(np.arange(4), 10)
    result = score(truth, repeated(truth, 5, 2, share=1.0))
    for name in ALL:
        assert result.scores[name].ci95 == [1.0, 1.0]
        assert result.scores[name].values == [1.0] * 10


def loop_interval(
    truth: np.ndarray, unit: np.ndarray, splits: list[SplitResult], name: str, n: int
) -> np.ndarray:
    """The interval by drawing units one by one and scoring every split of every replicate by itself."""
    rng = np.random.default_rng(99)
    tested = np.unique(np.concatenate([unit[s.test] for s in splits]))
    means = []
    for _ in range(n):
        times = np.bincount(rng.choice(tested, len(tested)), minlength=unit.max() + 1)
        values = []
        for s in splits:
            rows = np.repeat(np.arange(len(s.test)), times[unit[s.test]])
            if len(rows):
                confusion = np.zeros((4, 4))
                np.add.at(confusion, (truth[s.test][rows], s.predictions.scores.argmax(axis=1)[rows]), 1)
                values.append(float(metrics.SCORES[name](metrics.margins(confusion))))
        means.append(np.mean(values))
    values = [float(metrics.SCORES[name](metrics.margins(_confusion(truth, s)))) for s in splits]
    return np.quantile(means, [0.025, 0.975]) - (np.mean(means) - np.mean(values))


def _confusion(truth: np.ndarray, split: SplitResult) -> np.ndarray:
    confusion = np.zeros((4, 4))
    np.add.at(confusion, (truth[split.test], split.predictions.scores.argmax(axis=1)), 1)
    return confusion


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("grouped", [False, True])
def test_interval_equals_that_of_a_plain_loop(name: str, grouped: bool) -> None:
    truth = np.random.default_rng(1).integers(0, 4, 60)
    unit = np.arange(60) // 6 if grouped else np.arange(60)
    splits = repeated(truth, 3, 2, share=0.6)
    groups = np.array([f"g{u:02d}" for u in unit]) if grouped else None
    got = np.array(score(truth, splits, groups=groups).scores[name].ci95)
    expected = loop_interval(truth, unit, splits, name, 1500)
    # Two bootstraps of 2,000 and 1,500 replicates differ by about a twentieth of the width in either end.
    assert np.abs(got - expected).max() < 0.15 * np.diff(expected)[0]


def test_interval_of_accuracy_is_the_binomial_one() -> None:
    from scipy import stats

    n, right = 2000, 1600
    truth = np.zeros(n, int)
    predicted = np.where(np.arange(n) < right, 0, 1)
    got = score(truth, [split_of(np.arange(n), np.arange(n), predicted)]).scores["accuracy"].ci95
    assert got == pytest.approx(stats.binom.ppf([0.025, 0.975], n, right / n) / n, abs=0.002)
    data = ((truth == predicted).astype(float),)
    scipys = stats.bootstrap(
        data, np.mean, n_resamples=2000, method="percentile", batch=200, rng=np.random.default_rng(0)
    )
    assert got == pytest.approx(list(scipys.confidence_interval), abs=0.003)


def test_groups_widen_the_interval_when_their_images_fail_together() -> None:
    truth = np.zeros(400, int)
    predicted = (np.arange(400) // 20 % 4 == 0).astype(int)  # 5 of 20 groups are wrong throughout
    splits = [split_of(np.arange(400), np.arange(400), predicted)]
    groups = np.array([f"g{i // 20}" for i in range(400)])
    narrow = np.diff(score(truth, splits).scores["accuracy"].ci95)[0]
    wide = np.diff(score(truth, splits, groups=groups).scores["accuracy"].ci95)[0]
    assert wide / narrow == pytest.approx(np.sqrt(20), rel=0.15)


def test_a_repeat_with_the_same_results_adds_no_certainty() -> None:
    truth = np.random.default_rng(2).integers(0, 4, 200)
    once = repeated(truth, 4, 1, share=0.7)
    five, one = (score(truth, splits).scores["accuracy"].ci95 for splits in (once * 5, once))
    assert five == pytest.approx(one, abs=0.01)  # the width is 0.12


def test_a_replicate_without_images_of_some_split_counts_the_others() -> None:
    truth = np.array([0, 1, 2])
    splits = [split_of(np.delete(np.arange(3), i), np.array([i]), np.array([i % 2])) for i in range(3)]
    got = score(truth, splits)  # right, right, wrong: a replicate may draw only the wrong one, or never it
    for name in ALL:
        assert got.scores[name].values == [1.0, 1.0, 0.0]
        assert got.scores[name].ci95 == pytest.approx([0.0, 1.0], abs=0.05)


def test_memory_is_bounded_and_the_parts_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.random.default_rng(3).integers(0, 4, 120)
    splits = repeated(truth, 4, 2, share=0.6)
    whole = score(truth, splits)
    monkeypatch.setattr(_bootstrap, "CHUNK", 10_000)
    assert score(truth, splits).scores == whole.scores
    tested = _bootstrap.Tested(np.arange(120), truth % 2, truth, truth, 2, 4)
    parts = list(_bootstrap.replicates(tested, 0))
    assert len(parts) > 1
    assert sum(len(part.truth) for part in parts) == _bootstrap.REPLICATES
    assert max(part.truth.size for part in parts) <= 10_000
    for part in parts:
        assert (part.truth.sum(axis=(1, 2)) == 120).all()


def test_kinds_of_units_keep_all_counts() -> None:
    rng = np.random.default_rng(4)
    m = 500
    unit, split = rng.integers(0, 40, m), rng.integers(0, 3, m)
    truth, predicted = rng.integers(0, 2, m), rng.integers(0, 2, m)
    adds, size = _bootstrap.Tested(unit, split, truth, predicted, 3, 2).kinds()
    total = (size @ adds.toarray()).reshape(3, 3, 2)
    expected = metrics.margins(metrics.confusion_matrices(split, truth, predicted, 3, 2))
    np.testing.assert_array_equal(total, np.stack(expected, axis=1))
    single = _bootstrap.Tested(np.arange(m), np.zeros(m, int), truth, predicted, 1, 2).kinds()[1]
    np.testing.assert_array_equal(
        np.sort(single), np.sort(np.unique(2 * truth + predicted, return_counts=True)[1])
    )


def test_interval_depends_on_the_seed_alone() -> None:
    truth = np.random.default_rng(5).integers(0, 4, 80)
    splits = repeated(truth, 4, 2, share=0.6)
    first = score(truth, splits, seed=1)
    np.random.seed(3)  # noqa: NPY002 - the global state must not matter
    assert score(truth, splits, seed=1).scores == first.scores
    assert score(truth, splits, seed=2).scores["macro_f1"].ci95 != first.scores["macro_f1"].ci95
    assert score(truth, splits, seed=2).scores["macro_f1"].values == first.scores["macro_f1"].values


def test_baseline_is_the_most_frequent_training_class_of_each_split() -> None:
    truth = np.array([0] * 6 + [1] * 6 + [2] * 3)
    halves = [np.array([0, 1, 2, 3, 6, 12]), np.array([4, 5, 7, 8, 9, 10, 11, 13, 14])]
    splits = [split_of(a, b, truth[b]) for a, b in pairwise([*halves, halves[0]])]
    result = score(truth, splits)
    # Mostly class 0 in the first half (2 of 9 in the second), class 1 in the second (1 of 6 in the first).
    assert result.baseline["accuracy"].values == pytest.approx([2 / 9, 1 / 6])
    assert result.baseline["balanced_accuracy"].values == pytest.approx([1 / 3, 1 / 3])
    assert result.beats_baseline


def test_equally_frequent_classes_give_the_first() -> None:
    truth = np.array([2, 2, 1, 1, 1, 2])
    result = score(truth, [split_of(np.arange(4), np.array([4, 5]), np.array([1, 2]))])
    assert result.baseline["accuracy"].values == [0.5]
    assert result.baseline["macro_f1"].values == pytest.approx([1 / 3])
    assert score(truth[:5], [split_of(np.arange(4), np.array([4]), np.array([1]))]).baseline[
        "accuracy"
    ].values == [1.0]


def test_guessing_does_not_beat_the_baseline() -> None:
    truth = np.random.default_rng(6).integers(0, 4, 200)
    assert not score(truth, repeated(truth, 5, 1, share=0.0)).beats_baseline
    assert score(truth, repeated(truth, 5, 1, share=0.7)).beats_baseline
    constant = [split_of(s.train, s.test, np.zeros(len(s.test), int)) for s in repeated(truth, 5, 1, share=0)]
    assert not score(truth, constant).beats_baseline


def test_a_small_lead_over_the_baseline_is_told_with_its_interval() -> None:
    truth = np.repeat(range(4), 5)
    lucky = score(
        truth, [split_of(np.arange(20), np.arange(20), np.where(np.arange(20) < 7, truth, 3 - truth))]
    )
    low, high = lucky.scores["accuracy"].ci95
    assert low <= 0.25 < 0.35 == lucky.scores["accuracy"].mean
    assert f"{100 * low:.1f} to {100 * high:.1f} %, reaches the 25.0 % of that" in beside_baseline(lucky)
    unlucky = score(truth, [split_of(np.arange(20), np.arange(20), (truth + 1) % 4)])
    assert beside_baseline(unlucky).startswith("does not beat")


def test_the_first_metric_decides_whether_the_baseline_is_beaten() -> None:
    truth = np.repeat([0, 1], [90, 10])
    both = np.zeros(100, int)
    both[80:] = 1  # finds all of class 1, at the price of 10 of class 0: same accuracy, better balance
    splits = [split_of(np.arange(100), np.arange(100), both)]
    assert not score(truth, splits, metrics=["accuracy"]).beats_baseline
    assert score(truth, splits, metrics=["confusion", "balanced_accuracy", "accuracy"]).beats_baseline


def test_a_model_that_knows_fewer_classes_is_scored_on_all() -> None:
    truth = np.array([0, 1, 2, 3])
    known = split_of(np.array([1, 3]), np.array([1, 3]), np.array([0, 1]), CLASSES[[1, 3]])
    result = score(truth, [known])
    assert result.scores["accuracy"].mean == 1.0
    assert result.confusion.shape == (4, 4)
    assert result.per_class["ash"] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


def test_which_metrics_are_scored() -> None:
    truth = np.tile(np.arange(4), 3)
    splits = [split_of(np.arange(12), np.arange(12), truth)]
    assert METRICS == ("accuracy", "balanced_accuracy", "macro_f1", "confusion", "per_class")
    assert list(score(truth, splits, metrics=["macro_f1", "confusion", "accuracy", "macro_f1"]).scores) == [
        "macro_f1",
        "accuracy",
    ]
    assert list(score(truth, splits, metrics=["confusion"]).scores) == ["accuracy"]


def test_unknown_metrics_and_labels_are_all_named() -> None:
    truth = np.tile(np.arange(4), 3)
    splits = [split_of(np.arange(12), np.arange(12), truth)]
    with pytest.raises(SpecError) as caught:
        score(truth, splits, metrics=["acuracy", "accuracy", "auc"])
    assert caught.value.exit_code == 2
    first, second = str(caught.value).splitlines()
    assert (
        "unknown metric 'acuracy' (did you mean 'accuracy'?); allowed are accuracy, balanced_accuracy"
        in first
    )
    assert "unknown metric 'auc'" in second
    with pytest.raises(RunError, match="label 'date' is none of the 3 classes"):
        score(truth, splits, classes=CLASSES[:3])


def test_evaluating_does_not_import_scikit_learn() -> None:
    code = (
        "import sys, numpy as np\n"
        "from cvpipe.data import Predictions\n"
        "from cvpipe.conductor.evaluate import evaluate\n"
        "from cvpipe.conductor.measured import SplitResult\n"
        "c = np.array(['a', 'b']); r = np.arange(2)\n"
        "p = Predictions(scores=np.eye(2, dtype=np.float32), classes=c)\n"
        "evaluate(c, None, [SplitResult(r, r, p)], ['accuracy'], c, 0)\n"
        "sys.exit(bool({'sklearn', 'torch', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
