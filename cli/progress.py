"""Progress on standard error: one bar per stage on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import AbstractContextManager
from typing import Any, Self

import click

from cvpipe.conductor.progress import Progress

EVERY_S = 10.0
"""Seconds between two plain lines about one stage."""


def listener(quiet: bool) -> Quiet | Lines | Bars:
    """Who hears about a run: nobody, a terminal, or a log."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Lines()


class Quiet(Progress, AbstractContextManager):
    """Says nothing."""

    def __exit__(self, *error: Any) -> None:
        return None


class Lines(Quiet):
    """A line for each stage at its end, and every few seconds before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images."""
        with self._lock:
            self._total[stage], self._done[stage] = total, 0

    def advance(self, stage: str, images: int) -> None:
        """So many more are done."""
        with self._lock:
            now = time.monotonic()
            self._began.setdefault(stage, now)  # stages are announced long before their turn
            self._done[stage] = self._done.get(stage, 0) + images
            if now - self._said.setdefault(stage, now) > EVERY_S:
                self._say(stage)

    def end(self, stage: str) -> None:
        """All are done."""
        with self._lock:
            if self._began.pop(stage, None) is not None:
                self._total.pop(stage, 0)
                click.echo(f"{stage}: done, {self._done.pop(stage):,} images", err=True)

    def note(self, text: str) -> None:
        """News."""
        click.echo(text, err=True)

    def _say(self, stage: str) -> None:
        now = self._said[stage] = time.monotonic()
        seconds = max(now - self._began.get(stage, now), 1e-3)
        done, total = self._done[stage], self._total.get(stage, 0)
        rate = done / seconds
        left = f", {(total - done) / rate:,.0f} s left" if 0 < done < total else ""
        click.echo(f"{stage}: {done:,} of {total:,} images, {rate:,.0f} images/s{left}", err=True)


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
