"""Friedman's test: do several pipelines rank alike over the splits?

Ranks within each split, so no pipeline is favoured by splits with a larger spread; equal scores share their mean rank.

Source: Friedman, "The use of ranks to avoid the assumption of normality implicit in the analysis of variance", JASA
1937; Conover, "Practical Nonparametric Statistics", 1999, section 5.8 (the correction for ties); Demsar, "Statistical
comparisons of classifiers over multiple data sets", JMLR 2006, section 3.2.2 (for classifiers). There the blocks are
data sets. Splits of one data set overlap, so here the test is somewhat too ready to find a difference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

DIGITS = 12
"""Decimal places of a score that count: 1 image of a million moves the sixth."""


class Friedman(NamedTuple):
    """What the test found."""

    statistic: float
    """Chi-square with k - 1 degrees of freedom."""
    p: float
    ranks: np.ndarray
    """(k,) mean ranks; 1 is the best."""


def friedman(scores: np.ndarray) -> Friedman:
    """Test (n, k) scores of k pipelines on n splits, larger is better. All equal gives p = 1."""
    ranks = _ranks(np.asarray(scores, float))
    n, k = ranks.shape
    expected = (k + 1) / 2
    spread = float(((ranks - expected) ** 2).sum())
    means = ranks.mean(axis=0)
    if spread == 0:
        return Friedman(0.0, 1.0, means)
    statistic = float(n**2 * (k - 1) * ((means - expected) ** 2).sum() / spread)
    return Friedman(statistic, float(special.chdtrc(k - 1, statistic)), means)


def _ranks(scores: np.ndarray) -> np.ndarray:
    """(n, k) ranks within each row, 1 for the largest; equal ones share their mean rank, as do those that differ by the
    rounding of a mean."""
    scores = scores.round(DIGITS)
    higher = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    equal = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    return np.asarray(higher + (equal + 1) / 2)
