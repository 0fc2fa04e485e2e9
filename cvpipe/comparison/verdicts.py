"""What tests say about two candidates, and about all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cvpipe.statistics.effect_size import cohens_g

FOLLOWS = ("cohens_g", "better")
"""What `comparison.json` tells of a pair beside its fields."""
SIGNIFICANT = 0.05
"""A difference counts as real where its p value, corrected for all pairs, is below this."""


@dataclass(frozen=True)
class Significance:
    """One test of the hypothesis that there is no difference."""

    name: str
    """`mcnemar`, `corrected_t`, `5x2cv_f`, `bootstrap`, `friedman`."""
    statistic: float
    p: float
    note: str = ""
    """What it assumes or how it was computed, such as `exact`."""


@dataclass(frozen=True)
class Belief:
    """Probabilities, given the scores, of where the true difference lies (Bayesian correlated t-test)."""

    a_better: float
    equivalent: float
    """Within the region of practical equivalence."""
    b_better: float
    rope: float
    """Half the width of that region, in units of the metric: 0.01 is one point."""


@dataclass(frozen=True)
class Pair:
    """Two candidates, compared by the metric of the comparison. Differences are a minus b, in [-1, 1]."""

    a: str
    b: str
    difference: float
    """Of the means over splits."""
    ci95: tuple[float, float]
    """Bootstrap over images (over groups where there are any), paired."""
    ci95_splits: tuple[float, float] | None
    """Over splits (corrected for their overlap); None for one split, or the same difference in every split."""
    tests: list[Significance]
    """All that apply; the first one decides."""
    p: float
    """Of the first test, corrected for the number of pairs (Holm)."""
    cohens_d: float | None
    """Mean of the differences between splits in units of their deviation; None for one split or no deviation."""
    only_a_right: int
    """Answers that a has right and b wrong."""
    only_b_right: int
    belief: Belief | None
    """None where `ci95_splits` is."""

    @property
    def cohens_g(self) -> float:
        """By how much the share of a among the answers that only one has right exceeds one half, in [-0.5, 0.5]."""
        return cohens_g(self.only_a_right, self.only_b_right)

    @property
    def better(self) -> str | None:
        """The name of the better one; None where the two cannot be told apart."""
        if self.p >= SIGNIFICANT or self.difference == 0:
            return None
        return self.a if self.difference > 0 else self.b

    def summary(self) -> dict[str, Any]:
        """As in `comparison.json`: what follows from the rest, too."""
        return asdict(self) | {name: getattr(self, name) for name in FOLLOWS}


@dataclass(frozen=True)
class Many:
    """All candidates at once, ranked within each split: Friedman's test and Nemenyi's critical difference."""

    test: Significance
    ranks: dict[str, float]
    """Mean rank by name, 1 is best, in the order of the ranks."""
    critical_difference: float
    """Mean ranks that differ by less cannot be told apart."""
    groups: list[list[str]]
    """The largest sets of neighbours in rank that cannot be told apart: the bars of the diagram."""
