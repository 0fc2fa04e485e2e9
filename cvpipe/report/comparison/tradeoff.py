"""Score against cost: which pipelines no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cvpipe.comparison.candidate import Candidate
from cvpipe.comparison.result import Comparison
from cvpipe.report.chart import BOTTOM, LEFT, TOP, linear, logarithmic, tick_text
from cvpipe.report.words import percent, title

COSTS = (
    ("predict_ms_per_image", "time to predict an image, ms", "time to predict"),
    ("fit_s", "time to fit, s", "time to fit"),
    ("dimension", "dimension of the features", "dimension"),
)
"""A figure for each: field of `Costs`, label of its axis, short name."""
WIDTH, HEIGHT = 440, 320  # px of a figure's own coordinates; three stand side by side
ROOM = 24  # px at the right, where a point's circle may reach


def section(comparison: Comparison) -> dict[str, Any] | None:
    """A scatter plot for each cost that is known of at least two candidates; None if there is none."""
    figures = [figure for cost in COSTS if (figure := _figure(comparison, *cost))]
    if not figures:
        return None
    return {
        "id": "tradeoff",
        "title": "Score against cost",
        "template": "comparison/tradeoff.html",
        "figures": figures,
    }


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """The places of (cost, score) points than which no other is at least as good in both and better in one, by
    cost."""
    best, front = float("-inf"), []
    for place in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1])):
        if points[place][1] > best:
            best = points[place][1]
            front.append(place)
    return front


def _figure(comparison: Comparison, field: str, label: str, short: str) -> dict[str, Any] | None:
    known = [(rank, c, cost) for rank, c in enumerate(comparison.ranked, 1) if (cost := _cost(c, field))]
    if len(known) < 2:
        return None
    points = [(cost, c.scores[comparison.metric].mean) for _, c, cost in known]
    front = pareto(points)
    x = logarithmic((cost for cost, _ in points), LEFT, WIDTH - ROOM, most=5)
    y = linear((score for _, score in points), HEIGHT - BOTTOM, TOP + 10)
    places = [(x.at(cost), y.at(score)) for cost, score in points]
    return {
        "name": short, "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - ROOM, "top": TOP,
        "bottom": HEIGHT - BOTTOM, "x_label": f"{label} (logarithmic)", "y_label": f"{title(comparison.metric)}, %",
        "x_ticks": [(x.at(v), tick_text(v)) for v in x.ticks],
        "y_ticks": [(y.at(v), tick_text(100 * v)) for v in y.ticks],
        "step": _steps([places[i] for i in front], WIDTH - ROOM),
        "points": [
            {"rank": rank, "name": c.name, "x": at[0], "y": at[1], "front": i in front,
             "cost": tick_text(float(f"{cost:.3g}")), "score": percent(c.scores[comparison.metric].mean)}
            for i, ((rank, c, cost), at) in enumerate(zip(known, places, strict=True))
        ],
        "front": [(known[i][0], known[i][1].name) for i in front],
    }  # fmt: skip


def _cost(candidate: Candidate, field: str) -> float | None:
    return getattr(candidate.costs, field) if candidate.costs else None


def _steps(places: Sequence[tuple[float, float]], right: float) -> str:
    """The path of the front: what score is to be had for what cost."""
    x, y = places[0]
    path = f"M{x} {y}"
    for x, y in places[1:]:
        path += f"H{x}V{y}"
    return f"{path}H{right}"
