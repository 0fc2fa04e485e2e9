"""Threads that stay, for thousands of small steps of compiled work, such as those of a training."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar

from cvpipe.vision.meeting import ASLEEP, BUSY, LEADER, NAME, OWN, mark, opened, sleeps

W = TypeVar("W")
ENDED, UNKNOWN = -1, -2
"""Names that no work has."""


class Team(Generic[W]):
    """`work_on(me, work, name, state)` is compiled, without the GIL: the leader does one step, others all of them, as
    long as `meeting.begun` says. The caller leads. However it is interrupted, nobody waits for ever: all that a step
    needs happens in one call."""

    def __init__(self, count: int, work_on: Callable[[int, W, int, Any], None]) -> None:
        self.state = opened(count)
        self._work_on = work_on
        self._now: tuple[W, int] | None = None
        """The work and its name; None before the first, and at the end."""
        self._bells = [threading.Event() for _ in range(count)]
        self._helpers = [
            threading.Thread(target=self._help, args=(me,), daemon=True) for me in range(1, count)
        ]

    def __enter__(self) -> Self:
        for helper in self._helpers:
            helper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._now = None
        mark(self.state, NAME, ENDED)
        for bell in self._bells:
            bell.set()
        for helper in self._helpers:
            helper.join()

    def step(self, work: W) -> None:
        """One step of some work, by all."""
        if self._now is None or self._now[0] is not work:
            self._turn_to(work)
        mark(self.state, BUSY, 1)  # from here on nobody falls asleep
        for me, bell in enumerate(self._bells):
            if sleeps(self.state, me):
                bell.set()
        assert self._now is not None
        self._work_on(LEADER, *self._now, self.state)
        mark(self.state, BUSY, 0)

    def _turn_to(self, work: W) -> None:
        self._work_on(LEADER + 1, work, UNKNOWN, self.state)  # compiles; nothing has this name
        name = int(self.state[NAME]) + 1
        self._now = work, name
        mark(self.state, NAME, name)

    def _help(self, me: int) -> None:
        bell = self._bells[me]
        while True:
            if sleeps(self.state, me):
                bell.wait()
                bell.clear()
                mark(self.state, ASLEEP + OWN * me, 0)
            if (now := self._now) is None:
                return
            self._work_on(me, *now, self.state)
