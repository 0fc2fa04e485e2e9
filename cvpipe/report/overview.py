"""The head of a report: what was run, how well it does, and what a reader has to know before believing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cvpipe.conductor.result import RunResult
from cvpipe.report.words import plain

SKIPPED = 100  # images named; result.json has all


def overview(result: RunResult) -> dict[str, Any]:
    """The content of the page's head. The main score is the metric asked for first; there may be none."""
    metric = next(iter(result.scores), None)
    score = result.scores[metric] if metric else None
    baseline = result.baseline.get(metric) if metric else None
    return {
        "name": result.name,
        "data": result.dataset.name,
        "note": result.dataset.note,
        "images": len(result.dataset),
        "classes": len(result.dataset.classes),
        "split": plain(result.split),
        "splits": len(result.splits),
        "when": result.environment.get("when") or datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "metric": metric,
        "score": score,
        "baseline": baseline,
        "total_s": result.total_s,
        "warnings": result.warnings,
        "skipped": result.skipped[:SKIPPED],
        "skipped_total": len(result.skipped),
    }
