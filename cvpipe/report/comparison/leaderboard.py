"""All candidates in one table: scores, intervals and costs, to be sorted by any column."""

from __future__ import annotations

from typing import Any

from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.result import Comparison
from cvpipe.report.axis import Axis, axis_for
from cvpipe.report.words import count, percent, seconds

WIDTH, MARGIN = 150, 4  # px of the small plot of a row


def section(comparison: Comparison) -> dict[str, Any]:
    """A row for each candidate, the best first, then those that failed with their reason."""
    ranked = comparison.ranked
    metric = comparison.metric
    axis = axis_for(
        (v for c in ranked for v in (c.scores[metric].mean, *c.scores[metric].ci95)), MARGIN, WIDTH - MARGIN
    )
    others = [m for m in dict.fromkeys(m for c in ranked for m in c.scores) if m != metric]
    return {
        "id": "leaderboard",
        "title": "Leaderboard",
        "template": "comparison/leaderboard.html",
        "metric": metric,
        "others": others,
        "axis": axis,
        "width": WIDTH,
        "splits": comparison.splits,
        "rows": [_row(comparison, rank, c, axis, others) for rank, c in enumerate(ranked, 1)],
        "failed": [(c.name, c.reason) for c in comparison.failed],
        "columns": 9 + len(others),
    }


def _row(
    comparison: Comparison, rank: int, candidate: Candidate, axis: Axis, others: list[str]
) -> dict[str, Any]:
    score = candidate.scores[comparison.metric]
    return {
        "rank": rank,
        "name": candidate.name,
        "tied": rank > 1 and comparison.tied_with_best(candidate.name),
        "score": score,
        "mean_x": axis.at(score.mean),
        "interval": [axis.at(end) for end in score.ci95],
        "others": [_other(candidate, metric) for metric in others],
        "costs": _costs(candidate),
        "device": candidate.device,
    }


def _other(candidate: Candidate, metric: str) -> tuple[float, str]:
    score = candidate.scores.get(metric)
    return (score.mean, percent(score.mean)) if score else (-1.0, "–")


def _costs(candidate: Candidate) -> list[tuple[str, float, str]]:
    """(heading, value to sort by, text) for each cost; unknown ones sort last."""
    costs = candidate.costs
    if costs is None:
        return [(heading, float("inf"), "–") for heading in HEADINGS]
    return [
        (HEADINGS[0], costs.predict_ms_per_image, milliseconds(costs.predict_ms_per_image)),
        (HEADINGS[1], *_known(costs.fit_s, seconds)),
        (HEADINGS[2], costs.peak_rss_mb, f"{count(costs.peak_rss_mb)} MB"),
        (HEADINGS[3], *_known(costs.dimension, count)),
        (HEADINGS[4], costs.model_mb, f"{costs.model_mb:,.1f} MB"),
    ]


HEADINGS = ("Predict an image", "Fit", "Memory", "Dimension", "Model")


def _known(value: float | None, word: Any) -> tuple[float, str]:
    return (float("inf"), "–") if value is None else (float(value), word(value))


def milliseconds(value: float) -> str:
    """`0.42 ms`, `12 ms`, `1.3 s`."""
    if value >= 1000:
        return seconds(value / 1000)
    return f"{value:.2g} ms" if value < 10 else f"{value:.0f} ms"
