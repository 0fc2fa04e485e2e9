"""Tasks one after the other, each in a process of its own; what ends a process ends one task."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from cvpipe.comparison import ahead, worker
from cvpipe.comparison.teller import FAILED
from cvpipe.conductor.progress import Progress

GRACE_S = 3.0
"""How long a worker may take to end once it is told to, s."""


class Failure(NamedTuple):
    """How a task failed."""

    reason: str
    """In one line."""
    exit_code: int


class Runner(AbstractContextManager):
    """Runs the tasks of one comparison. `work` is `module:function`; `libraries` are what the tasks will need."""

    def __init__(self, work: str, libraries: Iterable[str] = ()) -> None:
        self.work = work
        self.libraries = list(libraries)
        self.outcomes: dict[int, Failure | None] = {}
        """By number of the task, from its beginning on: why it failed, or None."""
        self.found: dict[int, Any] = {}
        """By number of the task: what it told when another might begin."""
        self._tasks: dict[int, dict[str, Any]] = {}
        self._next: tuple[dict[str, Any], int] | None = None
        """The task that gets ready, and its number."""
        self._ordered: set[int] = set()
        """Those that the server has been asked for."""
        self._at_work: set[int] = set()
        self._ended: set[int] = set()
        self._server: ahead.Server | None = None

    def __exit__(self, *error: Any) -> None:
        self._stop()

    def start(self) -> None:
        """Import libraries in the background, so that the first task need not wait for them."""
        if self._server is not None and self._server.poll() is not None:
            while self._server:  # what its children still tell
                self._hear(Progress(), -1)
        if self._server is None:
            self._server = ahead.server(self.work, self.libraries)
            self._ordered.clear()

    def run(
        self, task: dict[str, Any], progress: Progress, found: Any = None, after: dict[str, Any] | None = None
    ) -> int:
        """Begin a task, and return its number as soon as another may begin beside it; never more than two at work.

        It hears what others `found`. The task to be run `after` it gets ready meanwhile, and waits.
        """
        number = self._next[1] if self._next and self._next[0] is task else self._numbered(task)
        free = False
        with self._ended_on_error():
            self._order(number, found)
            if number not in self._ended:  # while it got ready
                self._at_work.add(number)
                self._send({"go": number, "found": found})
            self._prepare(after)
            while number in self._at_work and not (free and self._at_work == {number}):
                free = (self._hear(progress, number) and worker.FORKS) or free
        if not worker.FORKS:
            self._stop()
        return number

    def _numbered(self, task: dict[str, Any]) -> int:
        number = len(self.outcomes)
        self.outcomes[number] = Failure("its process ended without a word", FAILED)
        self._tasks[number] = task
        return number

    def _prepare(self, task: dict[str, Any] | None) -> None:
        """Have a task get ready, where others need not end before."""
        self._next = None
        if task is not None and worker.FORKS:
            self._next = task, self._numbered(task)
            self._order(self._next[1])

    def _order(self, number: int, found: Any = None) -> None:
        """Order a task from a server that is there, unless that has it already. Raises `BrokenPipeError`."""
        self.start()
        if number not in self._ordered | self._ended:
            self._ordered.add(number)
            self._send({"task": self._tasks[number], "number": number, "found": found})

    def _send(self, what: dict[str, Any]) -> None:
        assert self._server is not None
        ahead.order(self._server, what)

    def failed(self, number: int) -> Failure | None:
        """How a task failed; None if it did not, or is still at work."""
        return None if number in self._at_work else self.outcomes[number]

    def finish(self, progress: Progress) -> None:
        """Wait until all tasks have ended."""
        with self._ended_on_error():
            while self._at_work:
                self._hear(progress, -1)

    @contextlib.contextmanager
    def _ended_on_error(self) -> Iterator[None]:
        """Inside, what is at work ends with an error, such as Ctrl-C."""
        try:
            yield
        except BrokenPipeError:
            self._stop()
        except BaseException:
            self._stop()
            raise

    def _hear(self, progress: Progress, number: int) -> bool:
        """Take one word from the worker; whether it says that the task with this number lets the next begin. What is
        heard about others is no news for the listener."""
        assert self._server is not None
        assert self._server.stdout is not None
        line = self._server.stdout.readline()
        if not line:  # the worker is gone, and all its children
            self._stop()
            return False
        task, word, *rest = json.loads(line)
        if word == "done":
            self.outcomes[task] = None
        elif word == "failed":
            self.outcomes[task] = Failure(*rest)
        elif word == "ended":
            self._at_work.discard(task)
            self._ended.add(task)
            if rest[0]:
                self.outcomes[task] = Failure(_ended(rest[0]), FAILED)
        elif word == "free":
            self.found[task] = rest[0]
        elif task == number:
            getattr(progress, word)(*rest)
        return word == "free" and task == number

    def _stop(self) -> None:
        if self._server is None:
            return
        ahead.ended(self._server, GRACE_S if self._at_work else 0)
        self._server = None
        self._at_work.clear()


def _ended(status: int) -> str:
    """How a process ended that did not end as it should."""
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        hint = "; most likely the system was out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {status}"
