"""`--smoke`: so few images that a run takes seconds. It shows that a spec runs, not how good it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.data import Dataset
from cvpipe.splits.kinds import Given, Holdout, Split

CLASSES = 4
"""Classes in a smoke test."""
IMAGES = 10
"""Images of each class on each side of a split that the data bring, or in all."""

SAID = "smoke test"
"""How the note on the data of a smoke test begins."""


def smoke_test(dataset: Dataset, split: Split, seed: int) -> tuple[Dataset, Split]:
    """A few images of a few classes, and a split for so few: half and half, unless the data bring one."""
    sides = (
        dataset.given if isinstance(split, Given) and dataset.given is not None else np.full(len(dataset), "")
    )
    rows = [_spread(np.flatnonzero((dataset.labels == label) & (sides == side)))
            for label in dataset.classes[:CLASSES] for side in np.unique(sides)]  # fmt: skip
    small = dataset[np.sort(np.concatenate([np.empty(0, np.int64), *rows]))]
    few = replace(small, note=f"{SAID}: {len(small):,} of {len(dataset):,} images")
    if isinstance(split, Given) and dataset.given is not None:
        return few, split
    return replace(few, given=None), Holdout(holdout=0.5)


def was_smoke(summary: Mapping[str, Any]) -> bool:
    """Whether the content of a `result.json` is of a smoke test."""
    return str(summary["data"].get("note", "")).startswith(SAID)


def is_full(folder: Path) -> bool:
    """Whether the folder of a run holds a finished one that is no smoke test."""
    try:
        return not was_smoke(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False  # there is none, or it is damaged


def _spread(rows: np.ndarray) -> np.ndarray:
    """At most IMAGES of these rows, evenly spaced, so that several groups are among them."""
    return (
        rows[np.unique(np.linspace(0, len(rows) - 1, IMAGES).round().astype(np.int64))] if len(rows) else rows
    )
