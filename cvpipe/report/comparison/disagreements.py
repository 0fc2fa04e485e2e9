"""Test images about which candidates disagree: a fair choice of those that the page has room for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from cvpipe.comparison.candidate import Candidate

MOST = 360
"""Images of the whole page: 360 pictures of 64 px take about 0.7 MB."""


def chosen(candidates: list[Candidate], most: int = MOST) -> np.ndarray:
    """Places of answers, at most so many, an image once, on which some two candidates differ; ranked candidates in,
    sorted places out.

    Every pair has its turn, the first ranks first; in a turn a pair names one image that only one of the two has
    right, of each in turn, then one that both have wrong; classes take turns too.
    """
    answers = [c.answers for c in candidates if c.answers is not None]
    if len(answers) < 2:
        return np.zeros(0, np.int64)
    ids = answers[0].ids
    queues = [
        _queue(a.hits, b.hits, a.prediction != b.prediction, a.truth) for a, b in combinations(answers, 2)
    ]
    taken: dict[str, int] = {}
    while queues and len(taken) < most:
        alive = []
        for queue in queues:
            place = next((p for p in queue if ids[p] not in taken), None)
            if place is not None:
                taken[str(ids[place])] = place
                alive.append(queue)
            if len(taken) == most:
                break
        queues = alive
    return np.sort(np.array(list(taken.values()), np.int64))


def _queue(a: np.ndarray, b: np.ndarray, differ: np.ndarray, truth: np.ndarray) -> Iterator[int]:
    """Places of one pair, in the order of its turns."""
    kinds = [_by_class(np.flatnonzero(mask), truth) for mask in (a & ~b, b & ~a, differ & ~a & ~b)]
    longest = max(map(len, kinds))
    return (kind[turn] for turn in range(longest) for kind in kinds if turn < len(kind))


def _by_class(places: np.ndarray, truth: np.ndarray) -> list[int]:
    """The first of each class, then the second of each, and so on."""
    seen: dict[str, int] = {}
    turns = []
    for place in places.tolist():
        label = str(truth[place])
        turns.append((seen.get(label, 0), place))
        seen[label] = seen.get(label, 0) + 1
    return [place for _, place in sorted(turns)]
