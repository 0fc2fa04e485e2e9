"""Tables on the terminal: no word is ever broken; columns for which there is no room are left out, and that is said."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 160
"""Columns of a table that goes into a pipe or a file."""
GAP = 2
"""Columns between two columns of a table: one of padding and one of the box."""
KEPT = 2
"""The first columns, which say what a row is about, are never left out."""


def show(
    head: Sequence[str], rows: Iterable[Sequence[str]], title: str = "", spare: Collection[str] = ()
) -> None:
    """Print a table; a column whose heading starts with `>` has numbers: it is set to the right, and no cell of it is
    wrapped. Other cells and all headings are wrapped at spaces. Columns in `spare` are left out before others."""
    from rich.console import Console

    console = Console()
    # A pipe or a file has no width of its own, and nobody who could make it wider.
    room = console.width if sys.stdout.isatty() else None
    lines = list(rows)
    columns = {name: [line[place] for line in lines] for place, name in enumerate(head)}
    widths = _widths(columns, spare, room)
    console.width = max(_total(widths.values()), console.width)
    console.print("", _table(columns, widths, title), "", sep="\n")
    if left_out := [name.removeprefix(">") for name in head if name not in widths]:
        why = f"for the terminal is only {room} columns wide"
        click.echo(f"left out, {why}: {', '.join(left_out)} (`| cat` shows all)")


def _table(columns: Mapping[str, Sequence[str]], widths: Mapping[str, int], title: str) -> Table:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", padding=(0, 1, 0, 0), pad_edge=False,
        show_edge=False,
    )  # fmt: skip
    for name, width in widths.items():
        right = name.startswith(">")
        table.add_column(name.removeprefix(">"), justify="right" if right else "left", width=width)
    for row in zip(*(columns[name] for name in widths), strict=True):
        table.add_row(*map(escape, row))
    return table


def _widths(columns: Mapping[str, Sequence[str]], spare: Collection[str], room: int | None) -> dict[str, int]:
    """The widths of the columns for which there is room; without a limit, of all."""
    ranges = {name: _range(name, cells) for name, cells in columns.items()}
    widths = {name: least for name, (least, _) in ranges.items()}
    from_the_right = list(columns)[: KEPT - 1 : -1]
    for name in sorted(from_the_right, key=lambda name: name not in spare):
        if room is not None and _total(widths.values()) > room:
            del widths[name]
    left = (room or WIDE) - _total(widths.values())
    while left > 0 and (wanting := [name for name in widths if widths[name] < ranges[name][1]]):
        widths[min(wanting, key=widths.__getitem__)] += 1  # the narrowest that wants more
        left -= 1
    return widths


def _total(widths: Collection[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _range(name: str, cells: Sequence[str]) -> tuple[int, int]:
    """The least width at which nothing is broken, and the one at which nothing is wrapped."""
    whole = _longest(cells) if name.startswith(">") else _longest(_words(cells))
    heading = name.removeprefix(">")
    return max(whole, _longest(heading.split())), _longest([heading, *cells])


def _words(cells: Iterable[str]) -> list[str]:
    return [word for cell in cells for word in cell.split()]


def _longest(texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max((cell_len(text) for text in texts), default=0)
