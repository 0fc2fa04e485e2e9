"""Draws by weight, nothing twice."""

from __future__ import annotations

import numpy as np


def weighted_draw(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(m,) int64 indices of (n,) float32 weights, none below 0: one after the other, in proportion to the weights left.

    Indices of weight 0 are never drawn; m is `count`, or how many others there are if that is less.

    Source: Efraimidis & Spirakis, "Weighted random sampling with a reservoir", Information Processing Letters 2006,
    algorithm A: the first of exponential waiting times whose rates are the weights.
    """
    waits = np.full(len(weights), np.inf, np.float32)
    np.divide(rng.standard_exponential(len(weights), np.float32), weights, out=waits, where=weights > 0)
    first = np.argpartition(waits, count)[:count] if count < len(waits) else np.arange(len(waits))
    first = first[np.isfinite(waits[first])]
    return first[np.argsort(waits[first], kind="stable")]
