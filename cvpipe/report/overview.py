"""The head of a report: what was run, how well it does, and what a reader has to know before believing it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cvpipe.conductor.result import RunResult
from cvpipe.report.words import percent, plain, title

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
        "warnings": _warnings(result, metric),
        "skipped": result.skipped[:SKIPPED],
        "skipped_total": len(result.skipped),
    }


def _warnings(result: RunResult, metric: str | None) -> list[str]:
    """The run's own warnings, and the one that matters most if it is not among them."""
    if metric is None or result.beats_baseline or any("does not beat" in text for text in result.warnings):
        return result.warnings
    baseline = percent(result.baseline[metric].mean) if metric in result.baseline else "its score"
    missing = (
        f"The pipeline does not beat the majority baseline: the interval of its {title(metric).lower()} "
        f"does not lie above {baseline}."
    )
    return [missing, *result.warnings]
