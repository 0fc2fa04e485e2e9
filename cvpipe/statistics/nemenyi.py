"""Nemenyi's critical difference: mean ranks that lie closer cannot be told apart.

Source: Nemenyi, "Distribution-free multiple comparisons", 1963; Demsar, "Statistical comparisons of classifiers over
multiple data sets", JMLR 2006, section 3.2.2 and figure 1 (the diagram).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy import special

WIDEST = 20.0
"""No range of normal deviates that matters is wider."""


@cache
def critical_difference(pipelines: int, splits: int, level: float = 0.05) -> float:
    """How far two mean ranks must lie apart; `pipelines` of at least 2."""
    quantile = _range_quantile(pipelines, 1 - level) / math.sqrt(2)
    return quantile * math.sqrt(pipelines * (pipelines + 1) / (6 * splits))


def indistinct(ranks: Sequence[float], difference: float) -> list[list[int]]:
    """The largest sets of neighbours among ascending mean ranks that lie closer than `difference`; of two or more.

    These are the bars of a critical-difference diagram.
    """
    groups: list[list[int]] = []
    for first, rank in enumerate(ranks):
        group = [i for i in range(first, len(ranks)) if ranks[i] - rank < difference]
        if len(group) > 1 and (not groups or group[-1] > groups[-1][-1]):
            groups.append(group)
    return groups


def _range_quantile(count: int, probability: float) -> float:
    """The quantile of the range of so many normal deviates (the studentized range with infinitely many degrees of
    freedom), by bisection."""
    low, high = 0.0, WIDEST
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _range_below(middle, count) < probability else (low, middle)
    return low


def _range_below(width: float, count: int) -> float:
    """The probability that so many normal deviates lie within `width` of each other: whichever is the largest, all
    others are below it, but by less than `width`."""
    largest, step = np.linspace(-8.0, 8.0 + WIDEST, 4001, retstep=True)
    density = np.exp(-(largest**2) / 2) / math.sqrt(2 * math.pi)
    others = (special.ndtr(largest) - special.ndtr(largest - width)) ** (count - 1)
    return float(count * (density * others).sum() * step)  # zero at both ends, so no end needs care
