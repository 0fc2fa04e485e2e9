"""Score against the number of training images."""

from __future__ import annotations

from typing import Any

from cvpipe.comparison.result import Comparison
from cvpipe.report import chart
from cvpipe.report.words import percent, points, title
from cvpipe.wording import mean_and_spread

ROOM = 180  # px at the right for names


def section(comparison: Comparison) -> dict[str, Any] | None:
    """A line for each candidate and a table of the same numbers; None if no curve was asked for."""
    learned = [c for c in comparison.ranked if c.curve]
    if not learned:
        return None
    sizes = sorted({point.train_size for c in learned for point in c.curve})
    series = {c.name: ([p.train_size for p in c.curve], [p.mean for p in c.curve]) for c in learned}
    x = chart.logarithmic(sizes, chart.LEFT, chart.WIDTH - ROOM)
    x = chart.Scale(x.low, x.high, x.start, x.end, tuple(map(float, sizes)), log=True)
    return {
        "id": "curves",
        "title": "Learning curves",
        "template": "comparison/curves.html",
        "chart": chart.lines(
            series, "training images of each class", f"{title(comparison.metric)}, %", x, percent=True
        ),
        "sizes": sizes,
        "rows": [(c.name, _cells(c.curve, sizes)) for c in learned],
    }


def _cells(curve: Any, sizes: list[int]) -> list[str]:
    known = {
        point.train_size: mean_and_spread(percent(point.mean), points(point.std), len(point.values))
        for point in curve
    }
    return [known.get(size, "–") for size in sizes]
