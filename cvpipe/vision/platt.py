"""Probabilities from scores: a sigmoid for each class (Platt scaling).

Source: Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood methods",
Advances in large margin classifiers 1999; fitted by Newton's method as in Lin, Lin & Weng, "A note on Platt's
probabilistic outputs for support vector machines", Machine Learning 2007; sums of one: Zadrozny & Elkan, "Transforming
classifier scores into accurate multiclass probability estimates", KDD 2002, section 5.
"""

from __future__ import annotations

import numpy as np

NEWTON_STEPS = 100
"""Most Newton steps; 5 to 10 are usual."""
FLAT = 1e-5
"""It ends when no slope is larger; Lin et al. 2007, algorithm 1."""
SMALLEST_STEP = 1e-10
"""A step that must be cut down to this share to gain anything: rounding error decides, and the search ends."""
RIDGE = 1e-12
"""Keeps the curvature above zero where all scores are equal; Lin et al. 2007, algorithm 1."""


def fit_sigmoids(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """(k, 2) float64 slopes a and offsets b: column j's probability of being positive is 1 / (1 + exp(a s + b)).

    scores (n, k), best of rows that the scorer was not trained on; positive (n, k) bool. Targets are (N+ + 1) / (N+ +
    2) and 1 / (N- + 2) rather than 1 and 0, so that separable scores do not make it steep without end.
    """
    pairs = zip(scores.T.astype(np.float64), positive.T, strict=True)
    return np.array([_fit_one(column, hits) for column, hits in pairs]).reshape(-1, 2)


def sigmoids(scores: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """(n, k) float64 in [0, 1] from (n, k) scores and (k, 2) slopes and offsets."""
    from scipy.special import expit

    return expit(-(scores * fitted[:, 0] + fitted[:, 1]))


def shares(values: np.ndarray) -> np.ndarray:
    """(n, k) rows that are not negative, divided by their sums; rows of zeros become 1 / k."""
    total = values.sum(axis=1, keepdims=True)
    return np.where(total > 0, values / np.where(total > 0, total, 1), 1 / values.shape[1])


def _fit_one(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """(2,) slope and offset that minimise the cross entropy."""
    hits, misses = int(positive.sum()), int((~positive).sum())
    target = np.where(positive, (hits + 1) / (hits + 2), 1 / (misses + 2))
    spread = (
        float(np.abs(scores).max(initial=0)) or 1.0
    )  # scores of any unit: the slope is for scores within 1
    rows = np.stack([scores / spread, np.ones_like(scores)], axis=1)
    found = np.array([0.0, np.log((misses + 1) / (hits + 1))])
    value = _entropy(rows @ found, target)
    for _ in range(NEWTON_STEPS):
        chance = sigmoids(rows[:, :1], found[None])[:, 0]
        slope = rows.T @ (target - chance)
        if np.abs(slope).max() < FLAT:
            break
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows + RIDGE * np.eye(2)
        step = -np.linalg.solve(curvature, slope)
        length = 1.0
        while (
            after := _entropy(rows @ (found + length * step), target)
        ) > value + 1e-4 * length * step @ slope:
            length /= 2
            if length < SMALLEST_STEP:
                return found / (spread, 1)
        found, value = found + length * step, after
    return found / (spread, 1)


def _entropy(logits: np.ndarray, target: np.ndarray) -> float:
    """Cross entropy of 1 / (1 + exp(logits)) and the targets, nat."""
    return float((target * np.logaddexp(0, logits) + (1 - target) * np.logaddexp(0, -logits)).sum())
