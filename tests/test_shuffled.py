"""Sides dealt out to single images: the same as scikit-learn's, for any table of classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import model_selection as oracle

from cvpipe.splits.shuffled import dealt, held_out

TABLES = [np.random.default_rng(number).integers(2, 40, 1 + number % 9) for number in range(60)]


def labels_of(counts: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


@pytest.mark.parametrize("stratified", [True, False])
def test_folds_are_those_of_scikit_learn(stratified: bool) -> None:
    kind = oracle.StratifiedKFold if stratified else oracle.KFold
    for seed, counts in enumerate(TABLES):
        labels, folds = labels_of(counts, seed), 2 + seed % (min(9, int(counts.min())) - 1 or 1)
        ours = dealt(labels, folds, seed, stratified)
        theirs = kind(folds, shuffle=True, random_state=seed).split(labels, labels)
        for fold, (_, test) in enumerate(theirs):
            assert np.array_equal(np.flatnonzero(ours == fold), np.sort(test))


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("share", [0.2, 0.25, 1 / 3, 0.5, 0.61])
def test_held_out_images_are_those_of_scikit_learn(share: float, stratified: bool) -> None:
    kind = oracle.StratifiedShuffleSplit if stratified else oracle.ShuffleSplit
    drawn = 0
    for seed, counts in enumerate(TABLES):
        labels = labels_of(counts, seed)
        sides = len(labels) - np.ceil(share * len(labels)), np.ceil(share * len(labels))
        if min(sides) < len(counts):
            continue  # refused before, by either
        _, test = next(kind(1, test_size=share, random_state=seed).split(labels, labels))
        assert np.array_equal(np.flatnonzero(held_out(labels, share, seed, stratified)), np.sort(test))
        drawn += 1
    assert drawn > 40


def test_equal_remainders_are_drawn_as_well() -> None:
    labels = np.repeat(np.arange(5), 7)  # 1.75 of each are held out
    found = {tuple(np.bincount(labels[held_out(labels, 0.25, seed, True)])) for seed in range(40)}
    assert len(found) > 3
    assert all(sum(counts) == 9 and set(counts) <= {1, 2} for counts in found)
