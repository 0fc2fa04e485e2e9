"""The process in which candidates run: each in a child of its own, so that a crash ends one candidate and no more.

    python -m cvpipe.comparison.worker MODULE:FUNCTION

Where the system can fork, one server imports the libraries once and forks for each task; elsewhere it does one task
and ends. It reads a JSON object a line: `{"import": [modules]}`, after which `prepare` of MODULE is called, or
`{"task": {...}}`, for which FUNCTION is called with the task and a listener. It writes a JSON list a line: what the
listener heard, `["done"]` or `["failed", reason, exit code]`, and at last `["ended", status]`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from typing import IO, Any

from cvpipe.conductor.progress import Progress
from cvpipe.errors import CvpipeError, RunError

FORKS = sys.platform == "linux"
"""Elsewhere libraries may hold what does not survive a fork."""
FAILED = RunError.exit_code


class Teller(Progress):
    """Hands on what it hears, a line each."""

    def __init__(self, out: int) -> None:
        self.out = out

    def tell(self, *words: Any) -> None:
        """One line, in one write."""
        os.write(self.out, (json.dumps(words) + "\n").encode())

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images."""
        self.tell("begin", stage, total)

    def advance(self, stage: str, images: int) -> None:
        """So many more are done."""
        self.tell("advance", stage, images)

    def end(self, stage: str) -> None:
        """All are done."""
        self.tell("end", stage)

    def note(self, text: str) -> None:
        """News."""
        self.tell("note", text)


def serve(function: str, orders: IO[str]) -> None:
    """Do what the orders say until they end."""
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no word of ours
    teller = Teller(out)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the child and for who gives orders
    for line in iter(orders.readline, ""):
        order = json.loads(line)
        if "import" in order:
            _get_ready(function, order["import"])
        if "task" in order:
            status = (
                _in_child(function, order["task"], teller, orders)
                if FORKS
                else _here(function, order, teller)
            )
            teller.tell("ended", status)


def _get_ready(function: str, libraries: Sequence[str]) -> None:
    """Import libraries, and call `prepare` of the module that has the function, if it has one."""
    for library in libraries:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    getattr(importlib.import_module(function.partition(":")[0]), "prepare", lambda: None)()


def _here(function: str, order: dict[str, Any], teller: Teller) -> int:
    attempt(_resolved(function), order["task"], teller)
    return 0


def _in_child(function: str, task: dict[str, Any], teller: Teller, orders: IO[str]) -> int:
    """Fork, and wait for the child's end; the exit code, or minus the signal that ended it. If who gives orders is
    gone, the child is ended."""
    alive, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        attempt(_resolved(function), task, teller)
        os._exit(0)
    os.close(held)
    ready, _, _ = select.select([alive, orders.fileno()], [], [])
    if alive not in ready:
        os.kill(child, signal.SIGKILL)
    os.close(alive)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def attempt(work: Callable[[dict[str, Any], Progress], None], task: dict[str, Any], teller: Teller) -> None:
    """Do one task, and tell how it ended."""
    try:
        work(task, teller)
        teller.tell("done")
    except KeyboardInterrupt:
        teller.tell("failed", "interrupted", FAILED)
    except CvpipeError as error:
        teller.tell("failed", "; ".join(str(error).splitlines()), error.exit_code)
    except MemoryError:
        teller.tell("failed", "out of memory", FAILED)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        teller.tell("failed", said, FAILED)
    except Exception as error:
        said = f"internal error: {type(error).__name__}: {' '.join(str(error).split())}"
        teller.tell("failed", said, FAILED)


def _resolved(function: str) -> Callable[[dict[str, Any], Progress], None]:
    module, _, name = function.partition(":")
    work: Callable[[dict[str, Any], Progress], None] = getattr(importlib.import_module(module), name)
    return work


if __name__ == "__main__":
    serve(sys.argv[1], sys.stdin)
