"""Which side of a split each group of images goes to, so that every side gets its share of every class.

scikit-learn's `StratifiedGroupKFold` visits the groups from the largest to the smallest, whatever the seed:
where groups differ in size, every repeat gives the same folds. It also keeps the first assignment it finds,
even if a fold lacks a class. Here the order is random, several orders are tried while a side lacks a class,
and each result is improved by moving single groups.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TRIES = 200
"""Random orders tried, at most, while some side lacks a class; the first is nearly always enough."""
PLACED = 20_000
"""Groups placed in all tries together, about a second; so many groups rarely leave a side without a class."""
JITTER = 0.5
"""Groups are visited by size times a random factor in [1 - JITTER, 1]: about the largest first."""
MOVES = 500
"""Most groups moved to improve one assignment; a bound on time, rarely reached."""
MISSING = 1e6
"""Cost of a side that lacks a class, far above any sum of squared deviations, each at most about 1."""


@dataclass(frozen=True)
class Shares:
    """What each side should get. The cost of an assignment is `sum(weights * (images - targets) ** 2)`."""

    counts: np.ndarray
    """(G, k) images of each group and class."""
    targets: np.ndarray
    """(S, k) images that each side should hold of each class."""
    weights: np.ndarray
    """(k,) price of a squared deviation."""

    def with_total(self) -> Shares:
        """One more column for all classes together: sides of like size where classes leave a choice."""
        counts, targets = (np.column_stack([a, a.sum(axis=1)]) for a in (self.counts, self.targets))
        return Shares(
            counts, targets, np.append(self.weights, 1 / max(1.0, (1 / self.weights**0.5).sum() ** 2))
        )

    def excess(self, side: np.ndarray) -> np.ndarray:
        """(S, k) images above the target."""
        held = np.zeros(self.targets.shape)
        np.add.at(held, side, self.counts)
        return held - self.targets

    def cost(self, side: np.ndarray) -> tuple[int, float]:
        """How many (side, class) pairs have no image, and the weighted squared deviation."""
        excess = self.excess(side)
        return int((excess + self.targets == 0).sum()), float((self.weights * excess**2).sum())


def equal_shares(counts: np.ndarray, shares: np.ndarray) -> Shares:
    """Every side gets its share, (S,) summing to 1, of each class; all classes matter alike."""
    total = counts.sum(axis=0)
    return Shares(counts, np.outer(shares, total), 1.0 / total**2).with_total()


def assign(shares: Shares, rng: np.random.Generator) -> np.ndarray:
    """(G,) side of each group: the best of `TRIES` at most, by missing classes, then by deviation."""
    best, best_cost = np.zeros(0, np.int64), (0, 0.0)
    for _ in range(max(1, min(TRIES, PLACED // max(1, len(shares.counts))))):
        side = _improve(shares, _greedy(shares, rng))
        cost = shares.cost(side)
        if not len(best) or cost < best_cost:
            best, best_cost = side, cost
        if best_cost[0] == 0:
            break
    return best


def _greedy(shares: Shares, rng: np.random.Generator) -> np.ndarray:
    """Each group, about the largest first, goes to the side that lacks its classes most."""
    size = shares.counts.sum(axis=1) * rng.uniform(1 - JITTER, 1, len(shares.counts))
    side = np.zeros(len(size), np.int64)
    excess = -shares.targets.astype(float)
    order_of_sides = rng.permutation(len(excess))  # equal ones are not always decided for the first
    priced = shares.counts * shares.weights
    for group in np.argsort(-size, kind="stable"):
        need = excess[order_of_sides] @ priced[group]
        side[group] = order_of_sides[need.argmin()]
        excess[side[group]] += shares.counts[group]
    return side


def _improve(shares: Shares, side: np.ndarray) -> np.ndarray:
    """Move the one group that lowers the cost most, until none does."""
    rows = np.arange(len(side))
    for _ in range(MOVES):
        change = _change(shares, side)
        change[rows, side] = 0
        group, target = divmod(int(change.argmin()), change.shape[1])
        if change[group, target] > -1e-12:  # rounding, not progress
            break
        side[group] = target
    return side


def _change(shares: Shares, side: np.ndarray) -> np.ndarray:
    """(G, S) by how much the cost changes if a group moves to a side."""
    counts, excess = shares.counts, shares.excess(side)
    held = excess + shares.targets
    pull = (counts * shares.weights) @ excess.T
    own = pull[np.arange(len(side)), side][:, None]
    deviation = 2 * (pull - own + (shares.weights * counts**2).sum(axis=1)[:, None])
    has = counts > 0
    lost = (has & (held[side] == counts)).sum(axis=1)[:, None]
    gained = has.astype(float) @ (held == 0).T
    return deviation + MISSING * (lost - gained)
