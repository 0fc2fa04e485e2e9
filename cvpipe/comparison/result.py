"""What a comparison found out, in Python. `comparison.json` is the same without the answers for single images."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cvpipe.conductor.measured import Score

SIGNIFICANT = 0.05
"""A difference counts as real where its p value, corrected for all pairs, is below this."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a candidate said about each test image of each split; m answers in all, an image once for each split that
    tests it. Answers of two candidates of one comparison stand in the same order."""

    ids: np.ndarray
    """(m,) ids of images."""
    split: np.ndarray
    """(m,) int64 number of the split."""
    truth: np.ndarray
    """(m,) true classes."""
    prediction: np.ndarray
    """(m,) predicted classes."""
    score: np.ndarray
    """(m,) float64 score of the predicted class; NaN where there is none. Scales differ between candidates."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def hits(self) -> np.ndarray:
        """(m,) bool, True where the prediction is the truth."""
        return np.asarray(self.prediction == self.truth)


@dataclass(frozen=True)
class Costs:
    """What a candidate costs. None of it depends on what was in the cache, except `total_s`."""

    fit_s: float | None
    """Seconds in `fit`, all learners together, mean over splits; None where a learner came from the cache of an
    earlier cvpipe that did not note it."""
    predict_ms_per_image: float
    """Milliseconds from a file to its prediction, by one worker, after a first call that loads libraries."""
    peak_rss_mb: float
    """The largest resident memory of the candidate's process, MB."""
    dimension: int | None
    """Numbers in the vector that the classifier gets; None where it gets images."""
    model_mb: float
    """Size of the saved model, MB."""
    total_s: float
    """Wall seconds of the run as it was, with whatever the cache held."""
    stages: list[dict[str, Any]]
    """By stage: name, fit_s, predict_ms_per_image, peak_rss_mb, output, cached; as above."""


@dataclass(frozen=True)
class CurvePoint:
    """The score after learning from fewer images; test images are the same."""

    train_size: int
    """Training images of each class."""
    mean: float
    std: float
    """Over splits."""
    values: list[float]
    """One for each split."""


@dataclass(eq=False)
class Candidate:
    """A pipeline that took part."""

    name: str
    spec: dict[str, Any]
    """Resolved: every default and seed is explicit."""
    status: Literal["ok", "failed"] = "ok"
    reason: str = ""
    """Why it failed, in one line."""
    folder: Path | None = None
    """Of its run: result.json, predictions.csv, report.html, …"""
    scores: dict[str, Score] = field(default_factory=dict)
    """By metric."""
    answers: Answers | None = None
    """None if it failed."""
    confusion: np.ndarray | None = None
    """(k, k) int64, row = true class, column = predicted class, in the order of `Comparison.data["class_names"]`."""
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    """class -> precision, recall, f1, support."""
    costs: Costs | None = None
    device: str = "cpu"
    curve: list[CurvePoint] = field(default_factory=list)
    """Against the number of training images, if that was asked for."""

    @property
    def ok(self) -> bool:
        return self.status == "ok"


@dataclass(frozen=True)
class Significance:
    """One test of the hypothesis that there is no difference."""

    name: str
    """`mcnemar`, `corrected_t`, `5x2cv_f`, `bootstrap`, `friedman`."""
    statistic: float
    p: float
    note: str = ""
    """What it assumes or how it was computed, such as `exact`."""


@dataclass(frozen=True)
class Belief:
    """Probabilities, given the scores, of where the true difference lies (Bayesian correlated t-test)."""

    a_better: float
    equivalent: float
    """Within the region of practical equivalence."""
    b_better: float
    rope: float
    """Half the width of that region, in units of the metric: 0.01 is one point."""


@dataclass(frozen=True)
class Pair:
    """Two candidates, compared by the metric of the comparison. Differences are a minus b, in [-1, 1]."""

    a: str
    b: str
    difference: float
    """Of the means over splits."""
    ci95: tuple[float, float]
    """Bootstrap over images (over groups where there are any), paired."""
    ci95_splits: tuple[float, float] | None
    """Over splits (corrected for their overlap); None for one split."""
    tests: list[Significance]
    """All that apply; the first one decides."""
    p: float
    """Of the first test, corrected for the number of pairs (Holm)."""
    cohens_d: float | None
    """Mean of the differences between splits in units of their deviation; None for one split or no deviation."""
    only_a_right: int
    """Answers that a has right and b wrong."""
    only_b_right: int
    belief: Belief | None
    """None for one split."""

    @property
    def better(self) -> str | None:
        """The name of the better one; None where the two cannot be told apart."""
        if self.p >= SIGNIFICANT or self.difference == 0:
            return None
        return self.a if self.difference > 0 else self.b


@dataclass(frozen=True)
class Many:
    """All candidates at once, ranked within each split: Friedman's test and Nemenyi's critical difference."""

    test: Significance
    ranks: dict[str, float]
    """Mean rank by name, 1 is best, in the order of the ranks."""
    critical_difference: float
    """Mean ranks that differ by less cannot be told apart."""
    groups: list[list[str]]
    """The largest sets of neighbours in rank that cannot be told apart: the bars of the diagram."""


@dataclass(eq=False)
class Comparison:
    """Everything that `cvpipe.compare` knows at its end."""

    name: str
    data: dict[str, Any]
    """name, images, classes (their number), class_names, fingerprint, note."""
    split: dict[str, Any]
    """As in a spec, such as `{"kfold": 5}`."""
    seed: int
    metric: str
    """What candidates are ranked and compared by."""
    candidates: list[Candidate]
    """In the order that was asked for."""
    pairs: list[Pair]
    """Every two that did not fail; `a` ranks before `b`."""
    many: Many | None
    """None for fewer than three candidates or for one split."""
    sentences: list[str]
    """The findings in words."""
    environment: dict[str, Any]
    """Versions, machine, device, jobs."""
    total_s: float = 0.0
    """Wall seconds of the whole comparison."""
    warnings: list[str] = field(default_factory=list)
    folder: Path | None = None
    """Where its files are, if any were written."""

    @property
    def ranked(self) -> list[Candidate]:
        """Candidates that did not fail, best first; equal ones in the order that was asked for."""
        return sorted((c for c in self.candidates if c.ok), key=lambda c: -c.scores[self.metric].mean)

    @property
    def failed(self) -> list[Candidate]:
        return [c for c in self.candidates if not c.ok]

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name. Raises `KeyError`."""
        return {c.name: c for c in self.candidates}[name]

    def pair(self, a: str, b: str) -> Pair:
        """The pair of two names, in either order. Raises `KeyError`."""
        return {frozenset((pair.a, pair.b)): pair for pair in self.pairs}[frozenset((a, b))]

    def tied_with_best(self, name: str) -> bool:
        """Whether it is the best one, or cannot be told apart from it."""
        best = self.ranked[0].name if self.ranked else ""
        return name == best or (self.candidate(name).ok and self.pair(best, name).better is None)

    def summary(self) -> dict[str, Any]:
        """The content of `comparison.json`."""
        return {
            "name": self.name,
            "data": self.data,
            "split": self.split,
            "seed": self.seed,
            "metric": self.metric,
            "ranking": [c.name for c in self.ranked],
            "candidates": [_candidate_summary(c, self.folder) for c in self.candidates],
            "pairs": [asdict(pair) | {"better": pair.better} for pair in self.pairs],
            "many": asdict(self.many) if self.many else None,
            "sentences": self.sentences,
            "warnings": self.warnings,
            "total_s": self.total_s,
            "environment": self.environment,
        }


def _candidate_summary(candidate: Candidate, folder: Path | None) -> dict[str, Any]:
    """Without answers: they are in the `predictions.csv` of the candidate's run."""
    run = candidate.folder
    if run and folder and run.is_relative_to(folder):
        run = run.relative_to(folder)
    return {
        "name": candidate.name,
        "status": candidate.status,
        "reason": candidate.reason,
        "folder": run.as_posix() if run else None,
        "scores": {name: asdict(score) for name, score in candidate.scores.items()},
        "costs": asdict(candidate.costs) if candidate.costs else None,
        "device": candidate.device,
        "confusion": None if candidate.confusion is None else candidate.confusion.tolist(),
        "per_class": candidate.per_class,
        "curve": [asdict(point) for point in candidate.curve],
        "spec": candidate.spec,
    }
