"""The scores of all candidates on the same resamples of the test images, so that their differences are paired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from cvpipe.comparison.candidate import Answers
from cvpipe.conductor.metrics import SCORES, Margins
from cvpipe.statistics import bootstrap


def resampled_scores(
    answers: Sequence[Answers],
    units: np.ndarray,
    metric: str,
    seed: int,
    replicates: int = bootstrap.REPLICATES,
) -> np.ndarray:
    """(candidates, replicates) means over splits of a metric.

    `units` is (m,) what is drawn as one, for each answer: its image, or its group. A split of which nothing was drawn
    does not count in a mean.
    """
    numbers = np.unique(units, return_inverse=True)[1]
    count = int(numbers.max()) + 1
    classes = np.unique(np.concatenate([answers[0].truth, *(a.prediction for a in answers)]))
    splits = int(answers[0].split.max()) + 1
    adds = [_adds(a, numbers, count, splits, classes) for a in answers]
    parts = []
    for drawn in bootstrap.draws(count, seed, replicates):
        parts.append(np.stack([_means(drawn, added, splits, len(classes), metric) for added in adds]))
    return np.concatenate(parts, axis=1)


def _adds(answers: Answers, units: np.ndarray, count: int, splits: int, classes: np.ndarray) -> csr_array:
    """What one draw of each unit adds: (units, splits * 3 * classes) of hits, truths and predictions."""
    truth, predicted = (np.searchsorted(classes, labels) for labels in (answers.truth, answers.prediction))
    start, k = answers.split * 3 * len(classes), len(classes)
    columns = np.concatenate([start + truth, start + k + truth, start + 2 * k + predicted])
    ones = np.ones(len(truth), np.float32)
    values = np.concatenate([answers.hits.astype(np.float32), ones, ones])
    return csr_array((values, (np.tile(units, 3), columns)), shape=(count, splits * 3 * k))


def _means(drawn: np.ndarray, adds: csr_array, splits: int, classes: int, metric: str) -> np.ndarray:
    """(part,) scores of the draws, the mean over splits."""
    sums = (drawn @ adds).reshape(len(drawn), splits, 3, classes).astype(np.float64)
    return np.asarray(np.nanmean(SCORES[metric](Margins(*np.moveaxis(sums, 2, 0))), axis=1))
