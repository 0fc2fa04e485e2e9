"""Which differences between candidates are real: every pair, and all together.

Which test decides about a pair depends on how the images were split, for each has its assumptions:

- five times two folds: the 5x2cv F test, made for it;
- every image tested once, and accuracy is what counts: McNemar's test on the images;
- several splits otherwise: the corrected resampled t-test, for images that are tested again are no new evidence;
- one split otherwise (groups, or another metric), and where the difference is the same in every split: the paired
  bootstrap. Equal differences leave the tests over splits no variance to judge by.

The other tests that apply are reported beside it. p values of all pairs are corrected together (Holm).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cvpipe.comparison.candidate import Answers, Candidate
from cvpipe.comparison.resamples import resampled_scores
from cvpipe.comparison.verdicts import Belief, Many, Pair, Significance
from cvpipe.statistics import bayes, bootstrap
from cvpipe.statistics.corrected_t import corrected_t
from cvpipe.statistics.effect_size import cohens_d
from cvpipe.statistics.five_by_two import five_by_two
from cvpipe.statistics.friedman import friedman
from cvpipe.statistics.holm import holm
from cvpipe.statistics.mcnemar import mcnemar
from cvpipe.statistics.nemenyi import critical_difference, indistinct


@dataclass(frozen=True, eq=False)
class Evidence:
    """What candidates are judged on."""

    metric: str
    units: np.ndarray
    """(m,) what is drawn as one, for each answer: the id of its image, or its group."""
    grouped: bool
    """Whether images come in groups."""
    test_per_train: float
    """Test images by training images, mean over splits."""
    five_by_two: bool
    """Whether the splits are five times two folds, in this order."""
    seed: int


def judge(candidates: Sequence[Candidate], evidence: Evidence) -> tuple[list[Pair], Many | None]:
    """Every pair of candidates that finished, the better one first, and all of them together."""
    ranked = sorted(candidates, key=lambda c: -c.scores[evidence.metric].mean)
    answers = [answers for c in ranked if (answers := c.answers) is not None]
    if len(answers) < 2:
        return [], None
    resampled = resampled_scores(answers, evidence.units, evidence.metric, evidence.seed)
    pairs = [
        _pair(ranked[i], ranked[j], resampled[i] - resampled[j], evidence)
        for i, j in itertools.combinations(range(len(ranked)), 2)
    ]
    corrected = holm([pair.p for pair in pairs])
    pairs = [replace(pair, p=float(p)) for pair, p in zip(pairs, corrected, strict=True)]
    return pairs, _many(ranked, evidence.metric)


def _pair(a: Candidate, b: Candidate, resampled: np.ndarray, evidence: Evidence) -> Pair:
    assert a.answers is not None
    assert b.answers is not None
    values = np.subtract(a.scores[evidence.metric].values, b.scores[evidence.metric].values)
    difference, several = float(values.mean()), len(values) > 1
    over_splits = corrected_t(values, evidence.test_per_train) if several else None
    belief = bayes.correlated_t(values, evidence.test_per_train) if several else None
    only_a, only_b = _discordant(a.answers, b.answers)
    tests = list(_tests(a.answers, (only_a, only_b), values, resampled, evidence))
    return Pair(
        a=a.name,
        b=b.name,
        difference=difference,
        ci95=bootstrap.interval(resampled, difference),
        ci95_splits=over_splits.interval if over_splits else None,
        tests=tests,
        p=tests[0].p,
        cohens_d=cohens_d(values),
        only_a_right=only_a,
        only_b_right=only_b,
        belief=Belief(*belief, bayes.ROPE) if belief else None,
    )


def _discordant(a: Answers, b: Answers) -> tuple[int, int]:
    """Answers that only a, and only b, has right."""
    return int((a.hits & ~b.hits).sum()), int((b.hits & ~a.hits).sum())


def _tests(
    a: Answers, discordant: tuple[int, int], values: np.ndarray, resampled: np.ndarray, evidence: Evidence
) -> Iterator[Significance]:
    """The tests that apply to a pair; the one that decides comes first."""
    once = len(np.unique(a.ids)) == len(a)
    if evidence.five_by_two and (found := five_by_two(values.reshape(5, 2))):
        yield Significance("5x2cv_f", *found)
    if once and not evidence.grouped and evidence.metric == "accuracy":
        statistic, p, exact = mcnemar(*discordant)
        yield Significance(
            "mcnemar", statistic, p, "exact" if exact else "chi-square, corrected for continuity"
        )
    if len(values) > 1 and (over_splits := corrected_t(values, evidence.test_per_train)):
        yield Significance("corrected_t", over_splits.statistic, over_splits.p, f"{len(values)} splits")
    difference = float(values.mean())
    drawn = "groups" if evidence.grouped else "images"
    yield Significance("bootstrap", difference, bootstrap.p_value(resampled, difference), f"over {drawn}")


def _many(ranked: Sequence[Candidate], metric: str) -> Many | None:
    scores = np.array([c.scores[metric].values for c in ranked]).T
    splits, count = scores.shape
    if count < 3 or splits < 2:
        return None
    statistic, p, means = friedman(scores)
    order = np.argsort(means, kind="stable")
    names = [ranked[i].name for i in order]
    ranks = means[order].tolist()
    apart = critical_difference(count, splits)
    groups = [[names[i] for i in group] for group in indistinct(ranks, apart)]
    test = Significance("friedman", statistic, p, f"{count} candidates ranked in {splits} splits")
    return Many(test, dict(zip(names, ranks, strict=True)), apart, groups)
