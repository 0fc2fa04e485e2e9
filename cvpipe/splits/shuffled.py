"""Sides dealt out at random to single images, with the same share of each class on every side if that is asked for.

The draws are those of scikit-learn's splitters, to the image. Importing these takes over a second, which would be most
of what a small run waits for.
"""

from __future__ import annotations

import math

import numpy as np


def dealt(labels: np.ndarray, folds: int, seed: int, stratified: bool) -> np.ndarray:
    """(n,) the fold that tests each image, from (n,) class numbers.

    Source: scikit-learn's `StratifiedKFold` and `KFold` with `shuffle=True`.
    """
    rng = np.random.RandomState(seed)
    fold = np.empty(len(labels), np.int64)
    if not stratified:
        order = np.arange(len(labels))
        rng.shuffle(order)
        sizes = [len(part) for part in np.array_split(order, folds)]
        fold[order] = np.repeat(np.arange(folds), sizes)
        return fold
    before = 0
    for rows in _classes_as_met(labels):
        share = np.sort(np.arange(before, before + len(rows)) % folds)  # dealt in turn, class after class
        rng.shuffle(share)
        fold[rows] = share
        before += len(rows)
    return fold


def held_out(labels: np.ndarray, share: float, seed: int, stratified: bool) -> np.ndarray:
    """(n,) bool, the test images: `share` of all, rounded up, from (n,) class numbers.

    Source: scikit-learn's `StratifiedShuffleSplit` and `ShuffleSplit`.
    """
    rng = np.random.RandomState(seed)
    n = len(labels)
    tests = math.ceil(share * n)
    test = np.zeros(n, bool)
    if not stratified:
        test[rng.permutation(n)[:tests]] = True
        return test
    counts = np.bincount(labels)
    train = _apportioned(counts, n - tests, rng)
    rest = _apportioned(counts - train, tests, rng)
    for label, (kept, held) in enumerate(zip(train, rest, strict=True)):
        rows = np.flatnonzero(labels == label)
        test[rows[rng.permutation(len(rows))[kept : kept + held]]] = True
    return test


def _classes_as_met(labels: np.ndarray) -> list[np.ndarray]:
    """The rows of each class, in the order in which the classes first occur."""
    _, first = np.unique(labels, return_index=True)
    return [np.flatnonzero(labels == labels[row]) for row in np.sort(first)]


def _apportioned(counts: np.ndarray, wanted: int, rng: np.random.RandomState) -> np.ndarray:
    """(k,) so many of each class that they are `wanted` in all, in proportion to (k,) counts: the largest remainders
    are rounded up, and among equal ones it is drawn which."""
    exact = counts / counts.sum() * wanted
    given = np.floor(exact)
    remainder = exact - given
    for value in np.unique(remainder)[::-1]:
        missing = int(wanted - given.sum())
        if missing <= 0:
            break
        equal = np.flatnonzero(remainder == value)
        given[rng.choice(equal, size=min(len(equal), missing), replace=False)] += 1
    return given.astype(np.int64)
