"""What each stage cost: time, speed and memory."""

from __future__ import annotations

from typing import Any

from cvpipe.conductor.result import RunResult


def section(result: RunResult) -> dict[str, Any] | None:
    """A row for each stage, with bars for the share of time and the peak of memory; None without stages."""
    if not result.stages:
        return None
    slowest = max(stage.fit_s + stage.transform_s for stage in result.stages) or 1.0
    largest = max(stage.peak_rss_mb for stage in result.stages) or 1.0
    return {
        "id": "cost",
        "title": "Time and memory",
        "template": "costs.html",
        "total_s": result.total_s,
        "peak_mb": largest,
        "cached": [stage.name for stage in result.stages if stage.cached],
        "rows": [
            {
                "stage": stage,
                "fit": 100 * stage.fit_s / slowest,
                "transform": 100 * stage.transform_s / slowest,
                "memory": 100 * stage.peak_rss_mb / largest,
            }
            for stage in result.stages
        ],
    }
