"""Draws by weight, nothing twice."""

from __future__ import annotations

import numpy as np


def weighted_draw(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(m,) int64 indices of (n,) weights of at least 0: one after the other, each in proportion to the weights left.

    Indices of weight 0 are never drawn; m is `count`, or how many others there are if that is less.

    Source: Efraimidis & Spirakis, "Weighted random sampling with a reservoir", Information Processing Letters 2006,
    algorithm A: the first of exponential waiting times whose rates are the weights.
    """
    candidates = np.flatnonzero(weights > 0)
    waits = rng.standard_exponential(len(weights))[candidates] / weights[candidates]
    if count < len(waits):
        first = np.argpartition(waits, count)[:count]
        candidates, waits = candidates[first], waits[first]
    return candidates[np.argsort(waits, kind="stable")]
