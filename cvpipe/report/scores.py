"""The scores of every metric, with a dot for every split."""

from __future__ import annotations

from typing import Any

from cvpipe.conductor.measured import Score
from cvpipe.conductor.result import RunResult
from cvpipe.report.axis import Axis, axis_for

WIDTH, MARGIN = 320, 18  # px of the plot's own coordinates; it is scaled to its column


def section(result: RunResult) -> dict[str, Any] | None:
    """A card for each metric; None if the run asked for none."""
    if not result.scores:
        return None
    scores = result.scores.values()
    axis = axis_for((v for s in scores for v in (*s.values, *s.ci95)), MARGIN, WIDTH - MARGIN)
    return {
        "id": "scores",
        "title": "Scores",
        "template": "scores.html",
        "axis": axis,
        "width": WIDTH,
        "splits": len(result.splits),
        "cards": [
            _card(name, score, result.baseline.get(name), axis) for name, score in result.scores.items()
        ],
    }


def _card(name: str, score: Score, baseline: Score | None, axis: Axis) -> dict[str, Any]:
    mean = None if baseline is None else baseline.mean
    return {
        "name": name,
        "score": score,
        "baseline": mean,
        "baseline_x": axis.at(mean) if mean is not None and axis.holds(mean) else None,
        "dots": [(axis.at(value), value) for value in score.values],
        "interval": [axis.at(end) for end in score.ci95],
        "mean_x": axis.at(score.mean),
    }
