"""The process in which candidates run: each in a child of its own, so that a crash ends one candidate and no more.

    python -m cvpipe.comparison.worker MODULE:FUNCTION

Where the system can fork, one server imports the libraries once and forks for each task; elsewhere it does one task
and ends. It reads a JSON object a line:

- `{"import": [modules]}`, after which `prepare` of MODULE is called;
- `{"task": {...}, "number": n, "found": ...}`, for which FUNCTION is called with the task and a `Teller`. In a child it
  gets ready, and waits;
- `{"go": n, "found": ...}` for a task that may begin. After the first, `prepare_more` of MODULE is called with it.

It writes a JSON list a line, the number of the task before all else: what the listener heard, `"free"` and anything
found where the next task may begin, `"done"` or `"failed", reason, exit code`, and at last `"ended", status`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from cvpipe.comparison.teller import FAILED, Teller, Work, attempt
from cvpipe.memory import keep_freed

FORKS = sys.platform == "linux"
"""Elsewhere libraries may hold what does not survive a fork."""


class Child(NamedTuple):
    """A process that does a task."""

    process: int
    teller: Teller
    task: dict[str, Any]
    start: int
    """The pipe on which it waits to begin."""


class Server:
    """Does what the orders say until they end."""

    def __init__(self, function: str, out: int) -> None:
        self.function = function
        self.out = out
        self.children: dict[int, Child] = {}
        """By the pipe that ends with it."""
        self.prepared = False

    def serve(self, orders: int) -> None:
        """Read orders from a file descriptor. When they end, who gave them is gone: children are ended too."""
        held = b""
        while True:
            ready, _, _ = select.select([orders, *self.children], [], [])
            for pipe in self.children.keys() & set(ready):
                self._bury(pipe)
            if orders in ready:
                if not (data := os.read(orders, 1 << 16)):
                    break
                *lines, held = (held + data).split(b"\n")
                for line in lines:
                    self._obey(json.loads(line))
        for child in self.children.values():
            os.kill(child.process, signal.SIGKILL)

    def _obey(self, order: dict[str, Any]) -> None:
        if "import" in order:
            _get_ready(self.function, order["import"])
        if "task" in order:
            (self._fork if FORKS else self.do)(order["task"], order["number"], order["found"])
        if "go" in order:
            self._go(order["go"], order["found"])

    def do(self, task: dict[str, Any], number: int, found: Any = None) -> None:
        """Do a task in this process."""
        teller = Teller(self.out, number)
        teller.found = found
        attempt(_resolved(self.function), task, teller)
        teller.tell("ended", 0)

    def _fork(self, task: dict[str, Any], number: int, _: Any) -> None:
        alive, held = os.pipe()
        start, begin = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(begin)  # so that it ends with this process
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # orders are not for what it reads or starts
                signal.signal(signal.SIGINT, signal.default_int_handler)
                with contextlib.suppress(BrokenPipeError):  # nobody hears any more
                    attempt(_resolved(self.function), task, Teller(self.out, number, start))
                os._exit(0)
            finally:
                os._exit(FAILED)
        os.close(held)  # so only the child has it, and its end is told by the other side
        os.close(start)
        self.children[alive] = Child(child, Teller(self.out, number), task, begin)

    def _go(self, number: int, found: Any) -> None:
        """Let a task begin."""
        child = next((child for child in self.children.values() if child.teller.number == number), None)
        if child is None:
            return  # it failed while it got ready
        with contextlib.suppress(BrokenPipeError):
            os.write(child.start, (json.dumps(found) + "\n").encode())
        if not self.prepared:
            self.prepared = True
            with contextlib.suppress(Exception):  # the tasks themselves will tell
                _call(self.function, "prepare_more", child.task)

    def _bury(self, pipe: int) -> None:
        """Tell the exit code of a child, or minus the signal that ended it."""
        child = self.children.pop(pipe)
        os.close(pipe)
        os.close(child.start)
        status = os.waitstatus_to_exitcode(os.waitpid(child.process, 0)[1])
        with contextlib.suppress(BrokenPipeError):  # nobody hears any more
            child.teller.tell("ended", status)


def _get_ready(function: str, libraries: Sequence[str]) -> None:
    """Import libraries, and call `prepare`."""
    for library in libraries:
        with contextlib.suppress(Exception):  # not there, or broken: whoever needs it will tell
            importlib.import_module(library)
    _call(function, "prepare")


def _call(function: str, name: str, *given: Any) -> None:
    """Call a function of this name in the module that has `function`, if there is one."""
    getattr(importlib.import_module(function.partition(":")[0]), name, lambda *given: None)(*given)


def _resolved(function: str) -> Work:
    module, _, name = function.partition(":")
    work: Work = getattr(importlib.import_module(module), name)
    return work


def main(function: str) -> None:
    """Serve whoever started this process."""
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no word of ours
    keep_freed()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the child and for who gives orders
    Server(function, out).serve(sys.stdin.fileno())


if __name__ == "__main__":
    main(sys.argv[1])
