"""Nemenyi's critical difference: mean ranks that lie closer cannot be told apart.

Source: Nemenyi, "Distribution-free multiple comparisons", 1963; Demsar, "Statistical comparisons of classifiers over
multiple data sets", JMLR 2006, section 3.2.2 and figure 1 (the diagram).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from scipy import stats


@cache
def critical_difference(pipelines: int, splits: int, level: float = 0.05) -> float:
    """How far two mean ranks must lie apart; `pipelines` of at least 2."""
    quantile = float(stats.studentized_range.ppf(1 - level, pipelines, math.inf)) / math.sqrt(2)
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
