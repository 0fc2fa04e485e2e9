"""How good the predictions are, how sure that is, and whether they beat the most frequent class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvpipe.conductor import metrics as scoring
from cvpipe.conductor._bootstrap import Tested, interval, replicates
from cvpipe.conductor.measured import Score, SplitResult
from cvpipe.conductor.metrics import METRICS
from cvpipe.data.seeds import derive
from cvpipe.errors import RunError

__all__ = ["METRICS", "Evaluation", "evaluate"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores over all splits; the fields are those of `RunResult`."""

    scores: dict[str, Score]
    baseline: dict[str, Score]
    beats_baseline: bool
    confusion: np.ndarray
    per_class: dict[str, dict[str, float]]


def evaluate(
    labels: np.ndarray,
    groups: np.ndarray | None,
    splits: Sequence[SplitResult],
    metrics: Sequence[str],
    classes: np.ndarray,
    seed: int,
) -> Evaluation:
    """Score the predictions of all splits.

    `labels` and `groups` are (n,) for the whole data set, `classes` are (k,), sorted. If no metric is one
    number, accuracy is scored. A class without test images does not count in a score of its split.
    Raises `SpecError` for an unknown metric and `RunError` for a label that is no class.
    """
    names = scoring.scores_among(metrics)
    truth = _numbers(labels, classes)
    unit = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    predicted = [_numbers(split.predictions.labels, classes) for split in splits]
    majority = [_majority(truth[split.train], len(split.test), len(classes)) for split in splits]
    scores, confusion = _score(_tested(splits, truth, unit, predicted, len(classes)), names, seed)
    baseline, _ = _score(_tested(splits, truth, unit, majority, len(classes)), names, seed)
    beats = scores[names[0]].ci95[0] > baseline[names[0]].mean
    return Evaluation(scores, baseline, beats, confusion, _per_class(confusion, classes))


def beside_baseline(found: Evaluation) -> str:
    """What to say of scores that do not beat the baseline."""
    metric, score = next(iter(found.scores.items()))
    baseline = found.baseline[metric].mean
    always = "a classifier that always gives the most frequent class"
    if score.mean <= baseline:
        return f"does not beat {always} ({metric} {100 * baseline:.1f} %)"
    low, high = (f"{100 * end:.1f}" for end in score.ci95)
    reaches = (
        f"the 95 % interval of its {metric}, {low} to {high} %, reaches the {100 * baseline:.1f} % of that"
    )
    return f"may be no better than {always}: {reaches}"


def _numbers(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """(n,) the number of each label's class."""
    numbers = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    unknown = np.unique(labels[classes[numbers] != labels])
    if len(unknown):
        raise RunError([f"label '{label}' is none of the {len(classes)} classes" for label in unknown])
    return numbers


def _majority(train: np.ndarray, n: int, k: int) -> np.ndarray:
    """(n,) times the most frequent class of the training images, the first of equal ones."""
    return np.full(n, np.bincount(train, minlength=k).argmax())


def _tested(
    splits: Sequence[SplitResult], truth: np.ndarray, unit: np.ndarray, predicted: list[np.ndarray], k: int
) -> Tested:
    rows = np.concatenate([split.test for split in splits])
    number = np.repeat(np.arange(len(splits)), [len(split.test) for split in splits])
    return Tested(unit[rows], number, truth[rows], np.concatenate(predicted), len(splits), k)


def _score(tested: Tested, names: list[str], seed: int) -> tuple[dict[str, Score], np.ndarray]:
    """Each metric over the splits, and the confusion matrix of all splits together."""
    k = tested.classes
    confusion = scoring.confusion_matrices(tested.split, tested.truth, tested.predicted, tested.splits, k)
    margins = scoring.margins(confusion)
    resampled: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for part in replicates(tested, derive(seed, "bootstrap")):
        for name in names:
            resampled[name].append(scoring.SCORES[name](part))
    scores = {name: _summary(scoring.SCORES[name](margins), resampled[name]) for name in names}
    return scores, confusion.sum(axis=0)


def _summary(values: np.ndarray, resampled: list[np.ndarray]) -> Score:
    """(splits,) values and their resamples -> mean, standard deviation and interval."""
    std = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return Score(float(values.mean()), std, values.tolist(), interval(resampled, float(values.mean())))


def _per_class(confusion: np.ndarray, classes: np.ndarray) -> dict[str, dict[str, float]]:
    """Precision, recall, F1 and support of each class, over all splits together."""
    m = scoring.margins(confusion)
    columns = zip(scoring.precision(m), scoring.recall(m), scoring.f1(m), m.truth, strict=True)
    return {
        str(name): {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for name, (p, r, f, n) in zip(classes, columns, strict=True)
    }
