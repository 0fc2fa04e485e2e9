"""Tasks one after the other, each in a process of its own; what ends a process ends one task."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import IO, Any, NamedTuple

from cvpipe.comparison import worker
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
        self._server: subprocess.Popen[str] | None = None
        self._busy = False

    def __exit__(self, *error: Any) -> None:
        self._stop()

    def start(self) -> None:
        """Import libraries in the background, so that the first task need not wait for them."""
        if self._server is None or self._server.poll() is not None:
            command = [sys.executable, "-m", "cvpipe.comparison.worker", self.work]
            self._server = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
            if worker.FORKS:
                self._order({"import": self.libraries})

    def run(self, task: dict[str, Any], progress: Progress) -> Failure | None:
        """Do a task; why it failed, if it did."""
        self.start()
        failure: Failure | None = Failure("its process ended without a word", worker.FAILED)
        try:
            self._busy = True
            self._order({"task": task})
            for words in self._heard():
                if words[0] == "done":
                    failure = None
                elif words[0] == "failed":
                    failure = Failure(*words[1:])
                elif words[0] == "ended":
                    failure = Failure(_ended(words[1]), worker.FAILED) if words[1] else failure
                    self._busy = False
                    break
                else:
                    getattr(progress, words[0])(*words[1:])
        except BrokenPipeError:
            pass
        except BaseException:
            self._stop()
            raise
        if not worker.FORKS:
            self._stop()
        return failure

    def _order(self, order: dict[str, Any]) -> None:
        pipe = self._pipes()[0]
        pipe.write(json.dumps(order) + "\n")
        pipe.flush()

    def _heard(self) -> Iterable[list[Any]]:
        """What the worker tells, until it is gone."""
        return (json.loads(line) for line in iter(self._pipes()[1].readline, ""))

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._server is not None
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        return self._server.stdin, self._server.stdout

    def _stop(self) -> None:
        if self._server is None:
            return
        for pipe in self._pipes():
            with contextlib.suppress(OSError):
                pipe.close()  # a worker whose orders end kills its child and ends
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._server.wait(GRACE_S if self._busy else 0)
        self._server.kill()
        self._server.wait()
        self._server, self._busy = None, False


def _ended(status: int) -> str:
    """How a process ended that did not end as it should."""
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        hint = "; most likely the system was out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {status}"
