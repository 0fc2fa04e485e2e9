"""Precision, recall, F1 and support of each class."""

from __future__ import annotations

from typing import Any

from cvpipe.conductor.result import RunResult

MEASURES = ("precision", "recall", "f1")


def section(result: RunResult) -> dict[str, Any] | None:
    """A row for each class, the lowest F1 first; None if there are no scores by class."""
    if not result.per_class:
        return None
    rows = sorted(result.per_class.items(), key=lambda item: (item[1]["f1"], item[0]))
    return {
        "id": "classes",
        "title": "Classes",
        "template": "classes.html",
        "measures": MEASURES,
        "rows": rows,
    }
