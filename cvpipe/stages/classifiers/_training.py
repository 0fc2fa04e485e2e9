"""What classifiers ask of training images."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from cvpipe.errors import RunError
from cvpipe.stage import Stage
from cvpipe.vision.cross_validation import stratified_folds


def classes_of(labels: np.ndarray | None, stage: str) -> tuple[np.ndarray, np.ndarray]:
    """Sorted class names (k,) and the number of each image's class (n,) int64.

    Raises `RunError` without labels, or if all are the same.
    """
    if labels is None or not len(labels):
        raise RunError("it learns from labels, and there are none", stage)
    classes, truth = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise RunError(f"it needs two classes, the training images are all '{labels[0]}'", stage)
    return classes, truth.astype(np.int64)


def one_hot(truth: np.ndarray, classes: int, off: float = 0.0) -> np.ndarray:
    """(n, k) float32 with 1 in the column of each image's class and `off` elsewhere."""
    return np.where(truth[:, None] == np.arange(classes), 1, off).astype(np.float32)


def inner_folds(stage: Stage, truth: np.ndarray) -> np.ndarray:
    """(n,) number of the fold in which each training row, with its (n,) class numbers, is held out.

    The stage has options `folds`, their number, and `seed`, of the draw.
    """
    return stratified_folds(truth, cast(Any, stage).folds, stage.rng("folds"))
