"""Did a run that was repeated give the same? And if not, what differs, and what may be the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cvpipe.comparison.difference import Line, changed, environment_lines, prediction_lines, score_lines
from cvpipe.comparison.run_files import Row, RunFiles
from cvpipe.errors import listed

SHOWN = 5
"""Rows that are named; the others are counted."""
OF_THE_RUN = ("jobs:", "cores:", "platform:", "processor:")
"""Beginnings of lines about the environment that are told only if numbers differ."""


@dataclass(frozen=True)
class Repeat:
    """Both runs, and what was found."""

    identical: bool
    """Whether every row of predictions.csv is the same, and so every score."""
    rows: int
    """Predictions that were compared."""
    differing: int
    """Rows that differ."""
    lines: list[str]
    """What differs: rows, scores, and the environment. Empty if nothing does."""

    def summary(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def compare_repeat(before: RunFiles, after: RunFiles) -> Repeat:
    """Row by row, as the rows stand in the two files."""
    rows = max(len(before.predictions), len(after.predictions))
    differing = [(a, b) for a, b in zip(before.predictions, after.predictions, strict=False) if a != b]
    count = len(differing) + abs(len(before.predictions) - len(after.predictions))
    lines = _different_rows(differing, before, after) if count else []
    scores = score_lines(before, after)
    lines += list(map(str, scores))
    environment = changed(environment_lines(before), environment_lines(after))
    if count or scores:
        lines += _reasons(environment) or [_cause(count, before.sealed)]
    return Repeat(not count and not scores, rows, count, lines)


def data_changes(before: RunFiles, ids: Sequence[str]) -> str:
    """What is known of how the data changed: images that came or went; else that contents or labels did."""
    then, now = {row.id for row in before.predictions}, set(ids)
    told = before.summary["data"].get("images")
    gone = sorted(then - now)
    come = sorted(now - then) if told == len(then) else []  # else not every image was tested
    words = [f"{len(names):,} {what} ('{names[0]}'{', …' if len(names) > 1 else ''})"
             for names, what in ((gone, "gone"), (come, "new")) if names]  # fmt: skip
    return listed(words, "and") if words else "the same images by name, but other contents or labels"


def _different_rows(pairs: list[tuple[Row, Row]], before: RunFiles, after: RunFiles) -> list[str]:
    lines = [str(line) for line in prediction_lines(before.predictions, after.predictions)]
    for a, b in pairs[:SHOWN]:
        lines += [str(Line("-", _row(a))), str(Line("+", _row(b)))]
    if len(pairs) > SHOWN:
        lines.append(f"  and {len(pairs) - SHOWN:,} more rows")
    return lines


def _row(row: Row) -> str:
    return f"{row.id} split {row.split}: {row.prediction} {row.score}"


def _reasons(environment: list[Line]) -> list[str]:
    versions = [line for line in environment if not line.text.startswith(OF_THE_RUN)]
    if versions:
        return ["  other versions since then:", *map(str, versions)]
    if environment:
        return ["  the same versions, but another machine or other workers:", *map(str, environment)]
    return []


def _cause(rows: int, sealed: bool) -> str:
    """Why so many rows, or none, differ with the same versions on the same machine."""
    if not rows:
        return "  the predictions are the same: the scores in result.json are not those of this run"
    or_else = "" if sealed else ", or the files of the run were changed since"
    return f"  the same versions on the same machine: a stage does not give the same twice{or_else}"
