"""Which differences are real: answers with a known truth behind them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from cvpipe.comparison import load
from cvpipe.comparison.candidate import Answers, Candidate
from cvpipe.comparison.judge import Evidence, judge
from cvpipe.comparison.resamples import resampled_scores
from cvpipe.conductor.measured import Score
from cvpipe.conductor.metrics import SCORES, confusion_matrices, margins
from cvpipe.report.comparison import answers as page

CLASSES = np.array(["a", "b", "c"])


def answers(predicted: np.ndarray, truth: np.ndarray, splits: int, repeats: int = 1) -> Answers:
    """Class numbers of n images, tested in turn by the folds of each repeat."""
    n = len(truth) // repeats
    split = np.concatenate(
        [np.arange(n) % (splits // repeats) + r * (splits // repeats) for r in range(repeats)]
    )
    ids = np.array([f"{i:04d}" for i in range(n)] * repeats)
    order = np.argsort(split, kind="stable")
    return Answers(
        ids[order], split[order], CLASSES[truth][order], CLASSES[predicted][order], np.zeros(len(truth))
    )


def candidate(name: str, said: Answers) -> Candidate:
    truth, predicted = (np.searchsorted(CLASSES, labels) for labels in (said.truth, said.prediction))
    splits = int(said.split.max()) + 1
    parts = margins(confusion_matrices(said.split, truth, predicted, splits, len(CLASSES)))
    scores = {}
    for metric, of in SCORES.items():
        values = of(parts).tolist()
        scores[metric] = Score(float(np.mean(values)), 0.0, values, [0.0, 1.0])
    return Candidate(name, {}, scores=scores, answers=said)


def with_accuracy(
    name: str, share: float, n: int = 400, splits: int = 5, repeats: int = 1, seed: int = 0
) -> Candidate:
    truth = np.tile(np.arange(n) % 3, repeats)
    right = np.random.default_rng(seed).random(len(truth)) < share
    return candidate(name, answers(np.where(right, truth, (truth + 1) % 3), truth, splits, repeats))


def evidence(one: Candidate, **changes: Any) -> Evidence:
    assert one.answers is not None
    options: dict[str, Any] = {"metric": "accuracy", "units": one.answers.ids, "grouped": False,
                               "test_per_train": 0.25, "five_by_two": False, "seed": 0}  # fmt: skip
    return Evidence(**options | changes)


def test_identical_answers() -> None:
    twins = [with_accuracy("x", 0.7), with_accuracy("y", 0.7)]
    pairs, many = judge(twins, evidence(twins[0]))
    assert many is None
    (pair,) = pairs
    assert (pair.p, pair.difference, pair.ci95, pair.ci95_splits) == (1.0, 0.0, (0.0, 0.0), None)
    assert (pair.only_a_right, pair.only_b_right, pair.better, pair.cohens_d) == (0, 0, None, None)
    assert pair.belief is None
    assert [test.name for test in pair.tests] == ["mcnemar", "bootstrap"]


def test_a_certain_winner_of_three() -> None:
    three = [
        with_accuracy("low", 0.5, seed=1),
        with_accuracy("high", 0.95),
        with_accuracy("mid", 0.8, seed=2),
    ]
    pairs, many = judge(three, evidence(three[0]))
    assert [(pair.a, pair.b, pair.better) for pair in pairs] == [
        ("high", "mid", "high"),
        ("high", "low", "high"),
        ("mid", "low", "mid"),
    ]
    for pair in pairs:
        assert pair.p < 1e-4
        assert pair.ci95[0] < pair.difference < pair.ci95[1]
        assert pair.ci95[0] > 0
        assert pair.difference == pytest.approx((pair.only_a_right - pair.only_b_right) / 400)
        assert pair.belief
        assert pair.belief.a_better > 0.95
    assert many
    assert list(many.ranks.items()) == [("high", 1.0), ("mid", 2.0), ("low", 3.0)]
    assert many.test.p == pytest.approx(stats.chi2.sf(10, 2))  # the same order in all of five splits
    assert many.groups == [
        ["high", "mid"],
        ["mid", "low"],
    ]  # five splits are too few for Nemenyi to see one rank


def test_effect_sizes_of_splits_and_of_images_are_written() -> None:
    two = [with_accuracy("x", 0.9), with_accuracy("y", 0.6, seed=1)]
    (pair,), _ = judge(two, evidence(two[0]))
    written = json.loads(json.dumps(pair.summary()))
    assert written["cohens_d"] == pair.cohens_d
    assert written["cohens_g"] == pytest.approx(
        pair.only_a_right / (pair.only_a_right + pair.only_b_right) - 0.5
    )
    assert load._pair(written) == pair
    facts = dict(page._pair(pair, "x", 5)["facts"])
    assert facts["Effect size (Cohen's g)"] == f"{pair.cohens_g:+.2f}"


def test_p_values_are_corrected_together() -> None:
    three = [with_accuracy(name, 0.8 - 0.02 * seed, seed=seed) for seed, name in enumerate("xyz")]
    pairs, _ = judge(three, evidence(three[0]))
    raw = sorted(pair.tests[0].p for pair in pairs)
    assert min(pair.p for pair in pairs) == pytest.approx(min(1.0, 3 * raw[0]))


@pytest.mark.parametrize(
    ("splits", "repeats", "changes", "first", "others"),
    [
        (5, 1, {}, "mcnemar", ["corrected_t", "bootstrap"]),
        (1, 1, {}, "mcnemar", ["bootstrap"]),
        (5, 1, {"metric": "macro_f1"}, "corrected_t", ["bootstrap"]),
        (5, 1, {"grouped": True}, "corrected_t", ["bootstrap"]),
        (1, 1, {"grouped": True}, "bootstrap", []),
        (1, 1, {"metric": "macro_f1"}, "bootstrap", []),
        (15, 3, {}, "corrected_t", ["bootstrap"]),
        (10, 5, {"five_by_two": True, "test_per_train": 1.0}, "5x2cv_f", ["corrected_t", "bootstrap"]),
    ],
)
def test_which_test_decides(
    splits: int, repeats: int, changes: dict[str, Any], first: str, others: list[str]
) -> None:
    pair_of = [
        with_accuracy(n, s, 120, splits, repeats, i) for i, (n, s) in enumerate((("x", 0.9), ("y", 0.6)))
    ]
    assert pair_of[0].answers is not None
    units = np.char.ljust(pair_of[0].answers.ids, 3) if changes.get("grouped") else pair_of[0].answers.ids
    (pair,), _ = judge(pair_of, evidence(pair_of[0], units=units, **changes))
    assert [test.name for test in pair.tests] == [first, *others]
    assert pair.p == pair.tests[0].p
    assert pair.better == "x"
    assert (pair.ci95_splits is None) == (splits == 1)
    assert (pair.belief is None) == (splits == 1)


@pytest.mark.parametrize(
    ("splits", "repeats", "changes", "tests"),
    [
        (2, 2, {}, ["bootstrap"]),
        (10, 5, {"five_by_two": True}, ["bootstrap"]),
        (4, 1, {"metric": "macro_f1"}, ["bootstrap"]),
        (4, 1, {}, ["mcnemar", "bootstrap"]),
    ],
)
def test_the_same_difference_in_every_split_leaves_it_to_the_images(
    splits: int, repeats: int, changes: dict[str, Any], tests: list[str]
) -> None:
    folds = splits // repeats
    truth = np.tile(np.repeat(np.arange(12) % 3, folds), repeats)
    few = np.tile(
        np.repeat(np.arange(12) < 2, folds), repeats
    )  # one more right of each of two classes, in every split
    a, b = (np.where(few & wrong, (truth + 1) % 3, truth) for wrong in (False, True))
    two = [candidate(name, answers(said, truth, splits, repeats)) for name, said in (("x", a), ("y", b))]
    (pair,), _ = judge(two, evidence(two[0], **changes))
    assert [test.name for test in pair.tests] == tests
    assert pair.p == pair.tests[0].p > 0
    assert (pair.ci95_splits, pair.belief, pair.cohens_d) == (None, None, None)
    assert pair.ci95[0] < pair.difference < pair.ci95[1]


def test_two_splits_of_few_images_rarely_tell_equal_pipelines_apart() -> None:
    """The difference is the same in both splits in a tenth of these comparisons, and not 0."""
    found = []
    for seed in range(200):
        two = [with_accuracy(n, 0.7, 20, 2, 2, 2 * seed + i) for i, n in enumerate("xy")]
        (pair,), _ = judge(two, evidence(two[0], test_per_train=0.4))
        found.append((pair.p < 0.05, pair.difference != 0 and pair.ci95_splits is None))
    told_apart, equal = np.mean(found, axis=0)
    assert told_apart <= 0.05
    assert equal > 0.05


def test_without_candidates_and_with_one() -> None:
    one = with_accuracy("x", 0.5)
    assert judge([], evidence(one)) == ([], None)
    assert judge([one], evidence(one)) == ([], None)


@pytest.mark.parametrize("metric", SCORES)
def test_resampled_scores_are_scores_of_the_drawn_images(metric: str) -> None:
    """Against scores computed on lists of the images that were drawn."""
    from cvpipe.statistics import bootstrap

    two = [with_accuracy("x", 0.8, 30, 3), with_accuracy("y", 0.5, 30, 3, seed=4)]
    said = [c.answers for c in two if c.answers is not None]
    found = resampled_scores(said, said[0].ids, metric, 7, 20)
    drawn = np.concatenate(list(bootstrap.draws(30, 7, 20)))
    place = np.unique(said[0].ids, return_inverse=True)[1]
    for row, a in enumerate(said):
        truth, predicted = (np.searchsorted(CLASSES, labels) for labels in (a.truth, a.prediction))
        for column in (0, 7, 19):
            times = drawn[column][place].astype(int)
            again = [np.repeat(part, times) for part in (a.split, truth, predicted)]
            values = SCORES[metric](margins(confusion_matrices(*again, 3, 3)))
            assert found[row, column] == pytest.approx(np.nanmean(values), abs=1e-6)


def test_groups_are_drawn_as_one() -> None:
    """Ten equal images in a group are one piece of evidence: intervals are as wide as for a tenth of the images."""
    truth = np.repeat(np.arange(40) % 3, 10)
    right = [
        np.repeat(np.random.default_rng(seed).random(40) < share, 10) for seed, share in ((0, 0.8), (1, 0.6))
    ]
    two = [
        candidate(str(i), answers(np.where(hit, truth, (truth + 1) % 3), truth, 1))
        for i, hit in enumerate(right)
    ]
    assert two[0].answers is not None
    groups = np.array([name[:3] for name in two[0].answers.ids])
    (apart,), _ = judge(two, evidence(two[0]))
    (grouped,), _ = judge(two, evidence(two[0], units=groups, grouped=True))
    width = [high - low for low, high in (apart.ci95, grouped.ci95)]
    assert width[1] / width[0] == pytest.approx(np.sqrt(10), rel=0.15)


def test_equal_pipelines_are_rarely_told_apart() -> None:
    found = []
    for seed in range(200):
        two = [with_accuracy(n, 0.7, 200, seed=2 * seed + i) for i, n in enumerate("xy")]
        (pair,), _ = judge(two, evidence(two[0]))
        found.append((pair.better is not None, pair.ci95[0] <= 0 <= pair.ci95[1]))
    told_apart, covered = np.mean(found, axis=0)
    assert told_apart < 0.08
    assert covered == pytest.approx(0.95, abs=0.04)
