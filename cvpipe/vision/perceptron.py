"""The perceptron's rule, for several two-class problems on the same rows.

Source: Rosenblatt, "The perceptron: a probabilistic model for information storage and organization in the brain",
Psychological Review 1958; Freund & Schapire, "Large margin classification using the perceptron algorithm", Machine
Learning 1999 (averaged).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def perceptron(
    rows: np.ndarray, targets: np.ndarray, order: Iterable[int], averaged: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Weights (d, k) and biases (k,), float32, after seeing rows in an order.

    rows (n, d), targets (n, k) of +1 and -1. A row on the wrong side of a problem's boundary, or on it, is added to
    its weights, times its target. Averaged: the mean of the weights after each row seen.
    """
    x = np.column_stack([rows, np.ones(len(rows))])
    weights, weighted = np.zeros((x.shape[1], targets.shape[1])), np.zeros((x.shape[1], targets.shape[1]))
    step = 0
    for step, row in enumerate(order, start=1):
        wrong = np.flatnonzero(targets[row] * (x[row] @ weights) <= 0)
        if len(wrong):
            change = np.outer(x[row], targets[row, wrong])
            weights[:, wrong] += change
            weighted[:, wrong] += (step - 1) * change  # the changes count from this step on
    if averaged and step:
        weights = weights - weighted / step
    return weights[:-1].astype(np.float32), weights[-1].astype(np.float32)
