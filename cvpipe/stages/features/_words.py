"""What encoders of descriptors share: rows to learn from, descriptors of the learned width, normalised histograms."""

from __future__ import annotations

import numpy as np

from cvpipe.errors import RunError
from cvpipe.stage import Learner, Stage
from cvpipe.vision.kmeans import kmeans


def learnable(stage: Learner, rows: np.ndarray, what: str) -> np.ndarray:
    """At most `fit_rows` of the rows, a seeded draw where `fit` was given more than it asks the conductor for.

    Raises `RunError`, which names what cannot be learned, if there are none.
    """
    if not len(rows):
        raise RunError(f"the training images have no descriptors to learn {what} from", stage.name)
    if stage.fit_rows is None or len(rows) <= stage.fit_rows:
        return rows
    return rows[np.sort(stage.rng("rows").choice(len(rows), stage.fit_rows, replace=False))]


def vocabulary(
    stage: Learner, descriptors: np.ndarray, words: int, iterations: int, tolerance: float
) -> tuple[np.ndarray, float]:
    """(k, D) float32 words of k-means on (M, D) training descriptors, and the mean squared distance to them.

    k is `words`, or how many distinct descriptors there are, if fewer. More than `fit_rows` rows are subsampled.
    Raises `RunError` if there are none.
    """
    rows = learnable(stage, descriptors, "words").astype(np.float32, copy=False)
    found = kmeans(rows, words, iterations, tolerance, stage.rng("fit"))
    return found.centres, found.inertia / len(rows)


def check_width(stage: Stage, rows: np.ndarray, width: int, what: str, unit: str = "numbers") -> None:
    """Raise `RunError` unless descriptors are as wide as those that `what` were learned from."""
    if rows.shape[1] != width:
        raise RunError(f"descriptors are {rows.shape[1]} {unit} long, the {what} {width}", stage.name)


def normalised(histograms: np.ndarray, norm: str) -> np.ndarray:
    """(n, words) counts as shares (`l1`), of Euclidean length 1 (`l2`), or as they are (`none`); zeros stay zeros."""
    if norm == "none":
        return histograms
    length = np.linalg.norm(histograms, ord=1 if norm == "l1" else 2, axis=1, keepdims=True)
    return histograms / np.where(length > 0, length, 1)
