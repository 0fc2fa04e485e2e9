"""What the files of a run must hold to make sense, each alone and all together."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cvpipe.errors import did_you_mean

CLOSE = 1e-9
"""Largest difference between a score in `result.json` and the same one computed again: rounding in another order."""
NEEDED: dict[str, Any] = {
    "name": str,
    "data": dict,
    "split": dict,
    "seed": int,
    "scores": dict,
    "baseline": dict,
    "stages": list,
    "total_s": int | float,
    "trained_on": str,
    "warnings": list,
    "environment": dict,
}
"""Keys of `result.json` that are read, and what they hold."""
COSTS = ("fit_s", "transform_s", "images_per_s", "peak_rss_mb")
"""Numbers about a stage."""


@dataclass(frozen=True)
class Row:
    """One line of `predictions.csv`, as it stands there."""

    id: str
    split: str
    truth: str
    prediction: str
    score: str


def lacking(summary: Mapping[str, Any]) -> list[str]:
    """What a `result.json` lacks, or has in a form that cannot be read."""
    wrong = [key for key, kind in NEEDED.items() if not isinstance(summary.get(key), kind)]
    data, scores, baseline, environment = (
        _mapping(summary.get(key)) for key in ("data", "scores", "baseline", "environment")
    )
    wrong += [f"data.{key}" for key in ("name", "fingerprint") if key not in data]
    wrong += [f"data.{key}" for key in ("images", "classes") if not is_number(data.get(key))]
    wrong += [f"scores.{name}" for name, score in scores.items() if not is_score(score)]
    wrong += [f"baseline.{name}" for name in scores if not is_score(baseline.get(name))]
    wrong += [f"stages[{i}]" for i, stage in enumerate(summary.get("stages") or ()) if not is_cost(stage)]
    if not isinstance(environment.get("libraries", {}), Mapping):
        wrong.append("environment.libraries")
    if not _is_matrix(summary.get("confusion", [])):
        wrong.append("confusion")
    if not _are(str, data.get("class_names", [])):
        wrong.append("data.class_names")
    return wrong


def is_number(value: Any) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_score(score: Any) -> bool:
    """Whether it is a metric over splits, as `result.json` has it."""
    score = _mapping(score)
    if not all(is_number(score.get(key)) for key in ("mean", "std")):
        return False
    values, interval = score.get("values"), score.get("ci95")
    both = _are(int | float, values) and _are(int | float, interval)
    return both and len(values) > 0 and len(interval) == 2


def is_cost(stage: Any) -> bool:
    """Whether it is what a stage cost, as `result.json` has it."""
    texts = isinstance(stage, Mapping) and all(isinstance(stage.get(key), str) for key in ("name", "output"))
    return texts and "cached" in stage and all(is_number(stage.get(key)) for key in COSTS)


def wrong_in(row: Row, classes: Collection[str]) -> str:
    """What is wrong with a row, or an empty text. Without `classes`, any class is right."""
    if not row.split.isdecimal():
        return f"the split '{row.split}' is no whole number"
    for label in (row.truth, row.prediction):
        if classes and label not in classes:
            return f"the class '{label}' is none of those in result.json{did_you_mean(label, classes)}"
    try:
        float(row.score or "nan")
    except ValueError:
        return f"the score '{row.score}' is no number"
    return ""


def misfit(rows: Sequence[Row], scores: Mapping[str, Mapping[str, Any]]) -> str:
    """Where scores in `result.json` do not follow from each other or from the rows, or an empty text."""
    for metric, score in scores.items():
        if not math.isclose(sum(score["values"]) / len(score["values"]), score["mean"], abs_tol=CLOSE):
            return f"the mean of {metric} in result.json is not that of its values"
    return _other_accuracy(rows, scores["accuracy"]["values"]) if "accuracy" in scores else ""


def _other_accuracy(rows: Sequence[Row], values: Sequence[float]) -> str:
    hits: dict[int, list[bool]] = defaultdict(list)
    for row in rows:
        hits[int(row.split)].append(row.truth == row.prediction)
    if set(hits) != set(range(len(values))):
        return f"predictions.csv has {len(hits)} splits, but result.json tells of {len(values)}"
    for split, told in enumerate(values):
        got = sum(hits[split]) / len(hits[split])
        if not math.isclose(got, told, abs_tol=CLOSE):
            return f"split {split} of predictions.csv has an accuracy of {got:.4f}, but result.json tells of {told:.4f}"
    return ""


def _are(kind: Any, values: Any) -> bool:
    """Whether it is a list of such values."""
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _is_matrix(rows: Any) -> bool:
    return _are(list, rows) and all(_are(int, row) for row in rows)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
