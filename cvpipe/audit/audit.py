"""What is in a data set that would spoil a comparison: copies, labels, sizes, files that cannot be read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from cvpipe import threads
from cvpipe.audit.findings import Audit
from cvpipe.audit.looks import Look, looks_at
from cvpipe.audit.warnings import warnings_about
from cvpipe.conductor import workers
from cvpipe.conductor.progress import Progress
from cvpipe.data import Dataset
from cvpipe.splits.duplicates import equal_sets, leaks
from cvpipe.splits.kinds import Fold, Given, Split
from cvpipe.vision import perceptual_hash


def audit(
    dataset: Dataset,
    split: Split | None = None,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Look at every image of a data set, and across a split: `split`, or the one that the data bring.

    Raises `DataError` for a split that is impossible.
    """
    looks = looks_at(dataset.images, workers.count(jobs), progress or Progress())
    bad = [
        {"id": i, "reason": look.reason}
        for i, look in zip(dataset.images.ids, looks, strict=True)
        if look.reason
    ]
    good = np.array([not look.reason for look in looks], bool)
    data, seen = dataset[good], [look for look in looks if not look.reason]
    tokens = [look.token for look in seen]
    chosen = split or (Given() if dataset.given is not None else None)
    folds = chosen.folds(data, seed, [b["id"] for b in bad], tokens) if chosen and len(data) else []
    ids = data.images.ids
    equal = equal_sets(tokens)
    pairs = _different(_alike(seen, workers.count(jobs)), tokens)
    found = Audit(
        name=dataset.name,
        note=dataset.note,
        images=len(data),
        classes={str(label): int((data.labels == label).sum()) for label in dataset.classes},
        sizes=_counted(f"{look.width} x {look.height}" for look in seen),
        kinds=_counted(look.kind for look in seen if look.kind),
        unreadable=bad,
        equal=_named(equal, ids),
        contradicting=_named([rows for rows in equal if len(set(data.labels[rows])) > 1], ids),
        alike=_named(_joined(pairs), ids),
        across=_named(leaks(folds, tokens), ids),
        alike_across=_named(_parted(pairs, folds), ids),
        split=_as_text(chosen) if folds and chosen else "",
        brings_split=dataset.given is not None,
        warnings=list(dataset.warnings),
    )
    found.warnings.extend(warnings_about(found))
    return found


def _alike(seen: Sequence[Look], jobs: int) -> np.ndarray:
    """(m, 2) pairs of rows that look alike."""
    if not seen:
        return np.empty((0, 2), np.int64)
    with threads.allow(jobs):
        return perceptual_hash.alike(np.stack([look.grey for look in seen if look.grey is not None]))


def _different(pairs: np.ndarray, tokens: Sequence[str]) -> list[tuple[int, int]]:
    return [(int(i), int(j)) for i, j in pairs if tokens[i] != tokens[j]]


def _joined(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Sets of rows that are connected by pairs."""
    set_of: dict[int, list[int]] = {}
    for i, j in pairs:
        first, second = set_of.get(i, [i]), set_of.get(j, [j])
        if first is second:
            continue
        both = sorted({*first, *second})
        set_of |= dict.fromkeys(both, both)
    return sorted({id(rows): rows for rows in set_of.values()}.values())


def _parted(pairs: Sequence[tuple[int, int]], folds: Sequence[Fold]) -> list[tuple[int, int]]:
    """(test row, training row) of the pairs that a fold puts on two sides, each test row once, sorted."""
    found: dict[int, int] = {}
    for fold in folds:
        test, train = set(fold.test.tolist()), set(fold.train.tolist())
        for pair in (*pairs, *((j, i) for i, j in pairs)):
            if pair[0] in test and pair[1] in train:
                found.setdefault(*pair)
    return sorted(found.items())


def _named(sets: Sequence[Sequence[int]], ids: Sequence[str]) -> list[list[str]]:
    return [[ids[row] for row in rows] for rows in sets]


def _as_text(split: Split) -> str:
    """`{kfold: 5}`: as in a spec."""
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in split.as_spec().items()) + "}"


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())
