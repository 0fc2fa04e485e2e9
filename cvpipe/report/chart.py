"""Scales and lines of figures: from values to places in px, with ticks that are easy to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

STEPS = (1, 2, 2.5, 5, 10)
"""Distances of ticks, times a power of ten."""
DECADE = (1, 2, 5)
"""Ticks within a factor of ten on a logarithmic scale, where there is room."""
STYLES = 8
"""Colours in report.css; further lines repeat them with other dashes and markers."""
MARKERS = ("circle", "square", "diamond", "triangle")
DASHES = ("", "7 4", "2 3", "9 3 2 3")
WIDTH, HEIGHT = 640, 340  # px of a figure's own coordinates; it is scaled to its column
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 14, 48  # px around the plot; labels of axes stand there
LABEL = 15  # px between two labels of lines
SHOWN = 400  # points of a line that are drawn; more are thinned evenly


@dataclass(frozen=True)
class Scale:
    """Values from `low` to `high`, drawn from `start` to `end` px."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    log: bool = False

    def at(self, value: float) -> float:
        """The place of a value, px, rounded to a tenth."""
        low, high, place = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return round(self.start + (place - low) / (high - low) * (self.end - self.start), 1)


def linear(values: Iterable[float], start: float, end: float, most: int = 6) -> Scale:
    """The shortest scale with round ends that holds all finite values, with at most so many ticks."""
    finite = [v for v in values if math.isfinite(v)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    if high == low:
        low, high = low - abs(low) * 0.05 - 1e-9, high + abs(high) * 0.05 + 1e-9
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (s * power * p for p in (1, 10) for s in STEPS):
        first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
        if last - first < most:
            break
    ticks = tuple(round(i * step, 12) for i in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], start, end, ticks)


def logarithmic(values: Iterable[float], start: float, end: float, most: int = 7) -> Scale:
    """A scale that holds all values above 0, with ticks at 1, 2 and 5 times powers of ten where they fit."""
    positive = [v for v in values if v > 0 and math.isfinite(v)] or [1.0]
    low, high = min(positive) / 1.15, max(positive) * 1.15  # points keep off the edge
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in (DECADE, (1,)):
        ticks = tuple(f * 10.0**d for d in decades for f in factors if low <= f * 10.0**d <= high)
        if len(ticks) <= most:
            break
    return Scale(low, high, start, end, ticks, log=True)


def tick_text(value: float) -> str:
    """`0.5`, `20`, `1,000`, `2e+06`: short, without zeros at its end."""
    if value and not 1e-4 <= abs(value) < 1e6:
        return f"{value:.0e}"
    return f"{value:,.4f}".rstrip("0").rstrip(".") or "0"


def lines(
    series: Mapping[str, tuple[Any, Any]],
    x_label: str,
    y_label: str,
    x: Scale | None = None,
    percent: bool = False,
) -> dict[str, Any]:
    """What `chart.html` needs to draw lines over one axis: places, ticks, and a style for each line.

    Points that are not finite are left out; a line's label stands at its end, moved where labels would overlap.
    """
    points = {name: _finite(xs, ys) for name, (xs, ys) in series.items()}
    all_x, all_y = (np.concatenate([p[:, axis] for p in points.values()] or [np.empty(0)]) for axis in (0, 1))
    room = min(180, 14 + 7 * max((len(name) for name in points), default=0)) if len(points) > 1 else RIGHT
    x = x or linear(all_x, LEFT, WIDTH - room)
    y = linear(all_y, HEIGHT - BOTTOM, TOP)
    drawn = [_line(place, name, rows, x, y) for place, (name, rows) in enumerate(points.items()) if len(rows)]
    if len(points) > 1:
        _spread(drawn)
    return {
        "width": WIDTH, "height": HEIGHT, "x": x, "y": y, "x_label": x_label, "y_label": y_label,
        "left": LEFT, "right": x.end, "top": TOP, "bottom": HEIGHT - BOTTOM, "lines": drawn,
        "x_ticks": [(x.at(v), tick_text(v)) for v in x.ticks],
        "y_ticks": [(y.at(v), tick_text(100 * v if percent else v)) for v in y.ticks],
        "named": len(points) > 1,
    }  # fmt: skip


def _finite(xs: Any, ys: Any) -> np.ndarray:
    """(n, 2) points that can be drawn."""
    rows = np.column_stack([np.asarray(xs, float).ravel(), np.asarray(ys, float).ravel()])
    rows = rows[np.isfinite(rows).all(axis=1)]
    keep = np.linspace(0, max(0, len(rows) - 1), min(len(rows), SHOWN)).round().astype(int)
    return rows[np.unique(keep)]


def _line(place: int, name: str, rows: np.ndarray, x: Scale, y: Scale) -> dict[str, Any]:
    points = [(x.at(a), y.at(b)) for a, b in rows]
    return {
        "name": name,
        "points": points,
        "style": place % STYLES,
        "marker": MARKERS[place % len(MARKERS)],
        "dash": DASHES[place // STYLES % len(DASHES)],
        "marked": len(points) <= 40,
        "end": points[-1],
        "label_y": points[-1][1],
        "last": float(rows[-1, 1]),
    }


def _spread(drawn: Sequence[dict[str, Any]]) -> None:
    """Move labels apart, downwards, then up again where they left the figure. In place."""
    ordered = sorted(drawn, key=lambda line: line["end"][1])
    lowest = -math.inf
    for line in ordered:
        line["label_y"] = lowest = max(line["end"][1], lowest + LABEL)
    highest = HEIGHT - BOTTOM + 4.0
    for line in reversed(ordered):
        line["label_y"] = highest = min(line["label_y"], highest)
        highest -= LABEL
