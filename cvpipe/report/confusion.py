"""The confusion matrix as a figure: which classes are taken for which."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvpipe.conductor.result import RunResult
from cvpipe.report.words import percent, short

WIDTH = 640  # px that the cells fill together, as long as one cell stays between the next two
CELL_MIN, CELL_MAX = 10, 88  # px; below the first a label no longer fits its row
NUMBERED = 20  # px; a cell of this size holds a number of three digits
MOST_CLASSES = 100  # more are cut to those with the most errors
TABLE_CLASSES = 30  # a table of more columns is no longer an alternative to the figure
LEVELS = 9  # shades in report.css
COMMON = 8  # confusions that are told in words


def section(result: RunResult) -> dict[str, Any] | None:
    """The figure, its commonest confusions and a table of the same counts; None without predictions."""
    names = [str(name) for name in result.dataset.classes]
    matrix = result.confusion
    if not matrix.sum():
        return None
    kept = _most_confused(matrix)
    return {
        "id": "confusion",
        "title": "Confusion matrix",
        "template": "confusion.html",
        "figure": _figure(matrix[np.ix_(kept, kept)], matrix.sum(axis=1)[kept], [names[i] for i in kept]),
        "classes": len(names),
        "common": _common(matrix, names),
        "right": int(np.trace(matrix)),
        "total": int(matrix.sum()),
        "table": [(name, matrix[i].tolist()) for i, name in enumerate(names)]
        if len(names) <= TABLE_CLASSES
        else [],
        "names": names,
    }


def _most_confused(matrix: np.ndarray) -> np.ndarray:
    """The rows to draw, in their order: all, or those with the most errors either way."""
    errors = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * np.diag(matrix)
    return np.sort(np.argsort(-errors, kind="stable")[:MOST_CLASSES])


def _common(matrix: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """The largest counts off the diagonal."""
    off = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-off, axis=None, kind="stable")[:COMMON]
    places = [(int(i), int(j)) for i, j in zip(*np.unravel_index(order, off.shape), strict=True) if off[i, j]]
    return [
        {"truth": names[i], "predicted": names[j], "count": int(off[i, j]), "of": int(matrix[i].sum())}
        for i, j in places
    ]


def _figure(matrix: np.ndarray, totals: np.ndarray, names: list[str]) -> dict[str, Any]:
    """Sizes and places of everything in the drawing, px."""
    cell = min(max(WIDTH // len(names), CELL_MIN), CELL_MAX)
    font = min(13, max(9, cell - 4))
    labels = [short(name, 22 if cell >= NUMBERED else 16) for name in names]
    widest = (
        math.ceil(max(map(len, labels)) * font * 0.58) + 10
    )  # 0.58 em: mean width of a system font's letters
    flat = widest <= cell
    left, top = widest + font + 8, (font + 14 if flat else widest) + font + 8
    side = cell * len(names)
    return {
        "cell": cell, "font": font, "side": side, "left": left, "top": top, "flat": flat,
        "width": left + side + 2, "height": top + side + 2,
        "number_size": min(15, round(cell * 0.42)),
        "labels": [(labels[i], names[i], i * cell + cell / 2) for i in range(len(names))],
        "rows": [_row(matrix[i], int(totals[i]), names, i, cell) for i in range(len(names))],
    }  # fmt: skip


def _row(counts: np.ndarray, total: int, names: list[str], row: int, cell: int) -> list[dict[str, Any]]:
    """The cells of one true class that are not empty."""
    return [
        {
            "x": int(column) * cell,
            "level": level(counts[column] / total),
            "right": int(column) == row,
            "number": _number(counts[column] / total) if cell >= NUMBERED else "",
            "title": _title(names[row], names[column], int(counts[column]), total),
        }
        for column in np.flatnonzero(counts)
    ]


def level(share: float) -> int:
    """The shade 1 … 9 of a share in (0, 1]; by its square root, so that rare confusions stay visible."""
    return max(1, math.ceil(LEVELS * math.sqrt(share) - 1e-9))


def _number(share: float) -> str:
    return "<1" if share < 0.005 else f"{100 * share:.0f}"


def _title(truth: str, predicted: str, count: int, total: int) -> str:
    what = f"{truth}: right" if truth == predicted else f"{truth} taken for {predicted}"
    return f"{what}, {count} of {total} ({percent(count / total)})"
