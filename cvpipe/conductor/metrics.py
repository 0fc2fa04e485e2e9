"""Scores of a classifier, from its confusion matrix or from the margins of one.

All functions work over leading axes, so that thousands of resamples are scored at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from cvpipe.errors import Problem, SpecError, did_you_mean, listed


class Margins(NamedTuple):
    """What the scores need of (..., k, k) confusion matrices: (..., k) arrays, one number for each class."""

    hits: np.ndarray
    """Images of the class that were taken for it: the diagonal."""
    truth: np.ndarray
    """Images of the class: the sums of rows."""
    predicted: np.ndarray
    """Images that were taken for the class: the sums of columns."""


def confusion_matrices(
    split: np.ndarray, truth: np.ndarray, predicted: np.ndarray, splits: int, k: int
) -> np.ndarray:
    """(splits, k, k) int64, row = true class, column = predicted class, from (n,) numbers each."""
    cells = np.bincount((split * k + truth) * k + predicted, minlength=splits * k * k)
    return cells.reshape(splits, k, k).astype(np.int64)


def margins(confusion: np.ndarray) -> Margins:
    """Diagonal, row sums and column sums of (..., k, k) confusion matrices."""
    return Margins(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1), confusion.sum(axis=-2))


def accuracy(m: Margins) -> np.ndarray:
    """(...,) share of images that were classified correctly; NaN without images."""
    return _ratio(m.hits.sum(axis=-1), m.truth.sum(axis=-1), np.nan)


def balanced_accuracy(m: Margins) -> np.ndarray:
    """(...,) mean recall of the classes that have images; NaN without images.

    Source: Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR 2010.
    """
    return _ratio(recall(m).sum(axis=-1), (m.truth > 0).sum(axis=-1), np.nan)


def macro_f1(m: Margins) -> np.ndarray:
    """(...,) mean F1 of the classes that occur in truth or prediction; NaN without images.

    Source: Opitz & Burst, "Macro F1 and Macro F1", arXiv:1911.03347, 2019, equation 2 ("averaged F1"), over
    the classes that occur, as in scikit-learn.
    """
    return _ratio(f1(m).sum(axis=-1), (m.truth + m.predicted > 0).sum(axis=-1), np.nan)


def precision(m: Margins) -> np.ndarray:
    """(..., k) share of what was taken for the class that is of it; 0 if nothing was."""
    return _ratio(m.hits, m.predicted)


def recall(m: Margins) -> np.ndarray:
    """(..., k) share of the class that was taken for it; 0 for a class without images."""
    return _ratio(m.hits, m.truth)


def f1(m: Margins) -> np.ndarray:
    """(..., k) harmonic mean of precision and recall; 0 for a class that does not occur."""
    return _ratio(2 * m.hits, m.truth + m.predicted)


def _ratio(above: np.ndarray, below: np.ndarray, empty: float = 0.0) -> np.ndarray:
    """above / below, and `empty` where `below` is zero."""
    return np.divide(above, below, out=np.full(np.shape(below), empty), where=np.asarray(below) > 0)


SCORES: dict[str, Callable[[Margins], np.ndarray]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_f1": macro_f1,
}
"""Metrics that are one number."""

METRICS: tuple[str, ...] = (*SCORES, "confusion", "per_class")
"""Words allowed in a spec; the last two are no numbers and are always computed."""


def scores_among(metrics: Iterable[str]) -> list[str]:
    """The metrics that are one number, in the order asked for; `accuracy` if there are none.

    Raises `SpecError` for unknown words.
    """
    metrics = list(metrics)
    unknown = [
        Problem(
            f"unknown metric '{m}'{did_you_mean(m, METRICS)}; allowed are {listed(METRICS, 'and')}", "metrics"
        )
        for m in metrics
        if m not in METRICS
    ]
    if unknown:
        raise SpecError(unknown)
    return [m for m in dict.fromkeys(metrics) if m in SCORES] or ["accuracy"]
