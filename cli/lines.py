"""Progress that goes into a log: a plain line now and then, few in all."""

from __future__ import annotations

import contextlib
import threading
import time
from contextlib import AbstractContextManager
from typing import Any

import click

from cvpipe.conductor.progress import Progress

FIRST_S = 10.0
"""Seconds of silence before the first plain line about what is going on; twice as many before the next."""
LONGEST_S = 300.0
"""Seconds of silence at most."""


class Quiet(Progress, AbstractContextManager):
    """Says nothing."""

    def __exit__(self, *error: Any) -> None:
        return None


class Lines(Quiet):
    """News at once; what is going on after a time of silence, which doubles from line to line."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._total: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._told: set[str] = set()
        """Stages that a line was about."""
        self._last = time.monotonic()
        """When the last line was."""
        self._silence = FIRST_S
        self._later: threading.Timer | None = None
        """Tells what is going on if nothing else is heard before."""
        self._turn = 0
        """Counts what is heard."""

    def __exit__(self, *error: Any) -> None:
        with self._lock:
            self._forget()

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images."""
        with self._lock:
            self._total[stage], self._done[stage] = total, 0

    def advance(self, stage: str, images: int) -> None:
        """So many more are done."""
        with self._lock:
            self._forget()
            now = time.monotonic()
            self._began.setdefault(stage, now)  # stages are announced long before their turn
            self._done[stage] = self._done.get(stage, 0) + images
            if self._left(now) <= 0:
                self._told.add(stage)
                self._grow(self._rate(stage, now))

    def end(self, stage: str) -> None:
        """All are done; told of a stage that was long at work."""
        with self._lock:
            self._forget()
            self._total.pop(stage, 0)
            self._began.pop(stage, 0)
            done = self._done.pop(stage, 0)
            if stage in self._told:
                self._told.remove(stage)
                self._say(f"{stage}: done, {done:,} images")

    def note(self, text: str) -> None:
        """News."""
        with self._lock:
            self._forget()
            self._say(text)

    def doing(self, text: str) -> None:
        """What is going on."""
        with self._lock:
            self._forget()
            left = self._left(time.monotonic())
            if left <= 0:
                self._grow(text)
                return
            self._later = threading.Timer(left, self._tell_late, [self._turn, text])
            self._later.daemon = True
            self._later.start()

    def _tell_late(self, turn: int, text: str) -> None:
        with self._lock:
            if turn == self._turn:  # else it was too late to be cancelled
                self._grow(text)

    def _forget(self) -> None:
        self._turn += 1
        if self._later:
            self._later.cancel()
            self._later = None

    def _left(self, now: float) -> float:
        """Seconds until it has been silent long enough."""
        return self._last + self._silence - now

    def _grow(self, text: str) -> None:
        self._silence = min(2 * self._silence, LONGEST_S)
        self._say(text)

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        with contextlib.suppress(OSError):  # nobody can read it, but the work goes on
            click.echo(text, err=True)

    def _rate(self, stage: str, now: float) -> str:
        seconds = max(now - self._began[stage], 1e-3)
        done, total = self._done[stage], self._total.get(stage, 0)
        rate = done / seconds
        left = f", {(total - done) / rate:,.0f} s left" if 0 < done < total else ""
        return f"{stage}: {done:,} of {total:,} images, {rate:,.0f} images/s{left}"
