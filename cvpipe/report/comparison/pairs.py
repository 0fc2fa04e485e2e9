"""Every two candidates in one table: by how much they differ, and whether that is real."""

from __future__ import annotations

from typing import Any

from cvpipe.comparison.result import Comparison
from cvpipe.comparison.verdicts import SIGNIFICANT
from cvpipe.comparison.words import p_text


def section(comparison: Comparison) -> dict[str, Any] | None:
    """A square table in the order of the ranks, its cells to be chosen; None for fewer than three candidates."""
    names = [c.name for c in comparison.ranked]
    if len(names) < 3:
        return None
    rows = [
        {"name": row, "rank": rank, "cells": [_cell(comparison, row, column) for column in names]}
        for rank, row in enumerate(names, 1)
    ]
    return {
        "id": "pairs",
        "title": "Every pair",
        "template": "comparison/pairs.html",
        "names": names,
        "rows": rows,
        "level": f"{100 * SIGNIFICANT:g}",
    }


def _cell(comparison: Comparison, row: str, column: str) -> dict[str, Any] | None:
    if row == column:
        return None
    pair = comparison.pair(row, column)
    difference = pair.difference if pair.a == row else -pair.difference
    mark = "same" if pair.better is None else "better" if pair.better == row else "worse"
    word = {"same": "cannot be told apart from", "better": "is better than", "worse": "is worse than"}[mark]
    sign = "\N{MINUS SIGN}" if difference < 0 else "+"
    return {
        "a": row,
        "b": column,
        "mark": mark,
        "text": f"{sign}{abs(100 * difference):.1f}",
        "title": f"{row} {word} {column}: {sign}{abs(100 * difference):.1f} points, {p_text(pair.p)}",
    }
