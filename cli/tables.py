"""Tables on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

WIDE = 160
"""Columns of a table that goes into a pipe or a file."""


def show(head: Sequence[str], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """Print a table; a column whose heading starts with `>` is set to the right."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    # A pipe or a file has no width of its own.
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for name in head:
        table.add_column(
            name.removeprefix(">"), justify="right" if name.startswith(">") else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*map(escape, row))
    console.print(table)
