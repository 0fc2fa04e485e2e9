"""The critical-difference diagram: mean ranks over splits, and who cannot be told apart by them.

Source: Demsar, "Statistical comparisons of classifiers over multiple data sets", JMLR 2006, section
3.2.2 (the diagram).
"""

from __future__ import annotations

import math
from typing import Any

from cvpipe.comparison.result import Comparison
from cvpipe.comparison.words import p_text

WIDTH, SIDE = 760, 230  # px; names stand in `SIDE` px at both ends
AXIS, BAR, ROW = 46, 11, 21  # px: the axis from the top; between bars; between names


def section(comparison: Comparison) -> dict[str, Any] | None:
    """The diagram; None for fewer than three candidates or one split."""
    many = comparison.many
    if many is None:
        return None
    ranks = list(many.ranks.items())
    last = len(ranks)
    left, right = SIDE, WIDTH - SIDE

    def at(rank: float) -> float:
        return round(left + (rank - 1) / (last - 1) * (right - left), 1)

    bars = [group for group in many.groups if len(group) > 1]
    below = AXIS + 16 + BAR * len(bars)
    half = math.ceil(last / 2)
    names = [
        _name(place, name, rank, at(rank), below, place < half, last)
        for place, (name, rank) in enumerate(ranks)
    ]
    return {
        "id": "ranks",
        "title": "Ranks over splits",
        "template": "comparison/ranks.html",
        "width": WIDTH, "height": below + ROW * half + 12, "axis": AXIS, "left": left, "right": right,
        "ticks": [(at(rank), rank) for rank in range(1, last + 1)] if last <= 21 else [(at(1), 1), (at(last), last)],
        "bars": [(at(many.ranks[g[0]]) - 4, at(many.ranks[g[-1]]) + 4, AXIS + 12 + BAR * i, ", ".join(g))
                 for i, g in enumerate(bars)],
        "names": names,
        "critical": many.critical_difference,
        "critical_x": min(at(1 + many.critical_difference), WIDTH - 10.0),
        "p": p_text(many.test.p),
        "groups": bars,
        "ranks": ranks,
    }  # fmt: skip


def _name(
    place: int, name: str, rank: float, x: float, below: float, first: bool, last: int
) -> dict[str, Any]:
    """The better half hangs on the left, from the top down; the other on the right, from the bottom up."""
    row = place if first else last - 1 - place
    return {"name": name, "rank": rank, "x": x, "y": below + ROW * row + ROW / 2, "first": first}
