"""Progress on standard error: one bar per stage on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
from typing import Any, Self

from cvpipe_cli.lines import Lines, Quiet


def listener(quiet: bool) -> Quiet | Lines | Bars:
    """Who hears about a run: nobody, a terminal, or a log."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()


class Bars(Quiet):
    """One bar for each stage, with images/s and the time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>10}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bars.stop()

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images."""
        if stage in self._tasks:
            self._bars.reset(self._tasks[stage], total=total)
        else:
            self._tasks[stage] = self._bars.add_task(stage, total=total, rate="")

    def advance(self, stage: str, images: int) -> None:
        """So many more are done."""
        if stage not in self._tasks:
            return
        task = self._bars._tasks[self._tasks[stage]]
        rate = f"{task.speed:,.0f}/s" if task.speed else ""
        self._bars.update(self._tasks[stage], advance=images, rate=rate)

    def end(self, stage: str) -> None:
        """All are done; the bar goes, for the next pipeline of a comparison brings its own."""
        if stage in self._tasks:
            self._bars.remove_task(self._tasks.pop(stage))

    def note(self, text: str) -> None:
        """News, above the bars."""
        self._bars.console.print(text, highlight=False, markup=False)
