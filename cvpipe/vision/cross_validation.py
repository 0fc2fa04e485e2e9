"""Scores of linear machines on rows that they were not trained on, for several costs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvpipe.threads import map_blocks
from cvpipe.vision.squared_hinge import squared_hinge


def stratified_folds(truth: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) number of the fold that each row is held out in, from (n,) class numbers.

    The rows of each class are shuffled and dealt out in turn, and the next class goes on where the last one ended: each
    fold has as many rows of a class, to one, and as many in all, to one. Fewer than `folds` only if there are fewer
    rows.
    """
    order = np.lexsort((rng.random(len(truth)), truth))
    fold = np.empty(len(truth), np.int64)
    fold[order] = np.arange(len(truth)) % folds
    return fold


def held_out_scores(
    rows: np.ndarray, targets: np.ndarray, weights: np.ndarray, fold: np.ndarray, costs: Sequence[float]
) -> np.ndarray:
    """(len(costs), n, k) float32: the score of each row from the machine of each cost that is trained without its fold.

    rows (n, d) float32, targets (n, k) of +1 and -1, weights (n,) above 0: what an error at a row costs is its weight
    times the cost. Costs are tried from the smallest to the largest, each from the solution of the one before.

    Source: Chu, Ho, Tsai, Lin & Lin, "Warm start for parameter selection of linear classifiers", KDD 2015, section 3.
    """
    scores = np.empty((len(costs), *targets.shape), np.float32)
    order = np.argsort(costs, kind="stable").tolist()

    def one_fold(start: int, _: int) -> None:
        out = fold == numbers[start]
        mine, test, solution = rows[~out], rows[out], None
        for place in order:
            cost = costs[place] * weights[~out]
            solution = squared_hinge(mine, targets[~out], cost, start=solution)
            scores[place, out] = test @ solution[0] + solution[1]

    numbers = np.unique(fold)
    map_blocks(one_fold, len(numbers), 1)
    return scores
