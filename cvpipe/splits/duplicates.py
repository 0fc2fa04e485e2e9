"""Copies of images: which are equal, and whether a split has one of them on each side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvpipe.splits.fold import Fold
from cvpipe.splits.grouping import Shares, assign


def equal_sets(tokens: Sequence[str]) -> list[list[int]]:
    """The rows of images with the same content hash, two or more, in the order of the data; '' is no hash."""
    rows: dict[str, list[int]] = {}
    for row, token in enumerate(tokens):
        if token:
            rows.setdefault(token, []).append(row)
    return [same for same in rows.values() if len(same) > 1]


def kept_together(
    folds: list[Fold], labels: np.ndarray, tokens: Sequence[str], rng: np.random.Generator
) -> list[Fold]:
    """Folds that share out the images among them, changed so that equal images of a class are on one side.

    Each copy changes places with another image of its class that lies where the first of the copies does, so that
    the folds keep their sizes and classes. Nothing else moves. Where no such image is left, all images of the class
    are dealt out anew, copies as one: then folds keep their sizes as nearly as a search finds. A class of fewer
    different images than there are sides stays as it is.
    """
    tested = np.zeros((len(folds), len(labels)), bool)
    for number, fold in enumerate(folds):
        tested[number, fold.test] = True
    sets = equal_sets(tokens)
    single = np.ones(len(labels), bool)
    single[[row for same in sets for row in same]] = False
    moved, parted = False, dict[object, np.ndarray]()
    for same in sets:
        for label in np.unique(labels[same]):
            copies = [row for row in same if labels[row] == label]
            moved |= _gather(copies, tested, single & (labels == label))
            if (tested[:, copies] != tested[:, copies[:1]]).any():
                parted[label] = np.flatnonzero(labels == label)
    for rows in parted.values():
        moved |= _deal(rows, tokens, tested, rng)
    return [type(folds[0]).from_mask(test) for test in tested] if moved else folds


def _gather(copies: list[int], tested: np.ndarray, free: np.ndarray) -> bool:
    """Move all copies to where the first of them is, in place. Whether any moved."""
    first, *others = copies
    moved = False
    for row in others:
        if np.array_equal(tested[:, row], tested[:, first]):
            continue
        places = np.flatnonzero(free & (tested == tested[:, [first]]).all(axis=0))
        if len(places):
            other = places[row % len(places)]
            tested[:, [row, other]] = tested[:, [other, row]]
            moved = True
    return moved


def _deal(rows: np.ndarray, tokens: Sequence[str], tested: np.ndarray, rng: np.random.Generator) -> bool:
    """Deal out the rows of a class anew, in place, copies as one, so that every side gets as many as it had.

    Whether that can be done: not if a side would be left without the class.
    """
    places, had = np.unique(tested[:, rows].T, axis=0, return_counts=True)
    names = [tokens[row] or f"row {row}" for row in rows]
    _, group, size = np.unique(names, return_inverse=True, return_counts=True)
    side = assign(Shares(size[:, None], had[:, None], np.ones(1)), rng)
    if len(np.unique(side)) < len(places):
        return False
    tested[:, rows] = places[side[group]].T
    return True


def leaks(folds: Sequence[Fold], tokens: Sequence[str]) -> list[tuple[int, int]]:
    """(test row, training row) of each image that is tested by a fold which learns from a copy of it; each test row
    once, sorted."""
    names = np.asarray(tokens, dtype=object)
    found: dict[int, int] = {}
    for fold in folds if equal_sets(tokens) else ():
        learned = {names[row]: int(row) for row in reversed(fold.train) if names[row]}
        found |= {int(row): learned[names[row]] for row in fold.test if names[row] in learned}
    return sorted(found.items())


def leak_warnings(
    folds: Sequence[Fold], tokens: Sequence[str], ids: Sequence[str], labels: Sequence[object] | np.ndarray
) -> list[str]:
    """What a reader of scores has to know about copies across a split; nothing if there are none.

    A copy of the same class makes a test image easier. One of another class teaches the wrong answer, so that is
    another warning.
    """
    named = [f"{token} {label}" if token else "" for token, label in zip(tokens, labels, strict=True)]
    easier = leaks(folds, named)
    rows = {row for row, _ in easier}
    wrong = [pair for pair in leaks(folds, tokens) if pair[0] not in rows]
    told = [
        (easier, "among the training images too, byte for byte", "scores are too high"),
        (wrong, "among the training images with another class, byte for byte", "decide which class is right"),
    ]
    return [f"{_some(pairs, ids, where)}: {so}" for pairs, where, so in told if pairs]


def _some(pairs: Sequence[tuple[int, int]], ids: Sequence[str], where: str) -> str:
    """How many test images are there, and the first of them with its copy."""
    what = "1 test image is" if len(pairs) == 1 else f"{len(pairs)} test images are"
    test, train = (ids[row] for row in pairs[0])
    return f"{what} {where} ({'such as ' * (len(pairs) > 1)}'{test}' = '{train}')"
