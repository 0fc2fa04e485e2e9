"""McNemar's test: do two classifiers err equally often on the same images?

Only the images that one of them gets right and the other wrong say anything. If both are equally good, each such image
is a toss of a fair coin.

Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
Psychometrika 1947; Dietterich, "Approximate statistical tests for comparing supervised classification learning
algorithms", Neural Computation 1998, section 3.1 (with Edwards' correction for continuity of 1948).
"""

from __future__ import annotations

from typing import NamedTuple

from scipy import special

FEW = 100
"""Fewer discordant images than this are counted exactly. From there on chi-square is at most 8 % above the exact p
where that is above 0.002; at the usual limit of 25 it is up to 25 % above."""


class McNemar(NamedTuple):
    """What the test found."""

    statistic: float
    """Chi-square with one degree of freedom, or the smaller count where `exact`."""
    p: float
    """Two-sided."""
    exact: bool


def mcnemar(only_a: int, only_b: int) -> McNemar:
    """Test the numbers of images that only a, and only b, gets right. Without any, nothing differs: p = 1."""
    few, total = min(only_a, only_b), only_a + only_b
    if total < FEW:
        return McNemar(float(few), min(1.0, 2 * float(special.bdtr(few, total, 0.5))), True)
    statistic = max(0, abs(only_a - only_b) - 1) ** 2 / total
    return McNemar(statistic, float(special.chdtrc(1, statistic)), False)
