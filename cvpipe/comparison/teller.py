"""What a process that does a task tells whoever waits for it: a JSON list a line, the number of the task first."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any

from cvpipe.conductor.progress import Progress
from cvpipe.errors import CvpipeError, RunError

FAILED = RunError.exit_code
NEWS_S = 0.1
"""How often it is told how many images are done, s."""


class Teller(Progress):
    """Hands on what it hears about one task, a line each, as soon as that may begin."""

    def __init__(self, out: int, number: int, start: int | None = None) -> None:
        self.out = out
        self.number = number
        self.found: Any = None
        """What others found before this task began."""
        self._start = start
        """A pipe that tells when it may begin; None if it has."""
        self._held: list[str] = []
        self._advanced: dict[str, int] = {}
        """Images by stage that were not told yet."""
        self._told = time.monotonic()

    def tell(self, *words: Any) -> None:
        """One line, after what was not told yet; each in one write, so that lines of several processes stay whole."""
        advanced, self._advanced = self._advanced, {}
        told = [("advance", stage, images) for stage, images in advanced.items()]
        self._held += [json.dumps([self.number, *line]) + "\n" for line in (*told, words) if line]
        if self._start is None or words[:1] in (("done",), ("failed",)):
            held, self._held = self._held, []
            for line in held:
                os.write(self.out, line.encode())
        self._told = time.monotonic()

    def ready(self) -> None:
        """Wait until the task may begin. Ends the process if who would say so is gone."""
        if self._start is None:
            return
        with open(self._start) as pipe:
            word = pipe.readline()
        if not word:
            os._exit(FAILED)
        self._start, self.found = None, json.loads(word)

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images."""
        self.tell("begin", stage, total)

    def advance(self, stage: str, images: int) -> None:
        """So many more are done. Told now and then: each write may wait for a worker that holds the interpreter."""
        self._advanced[stage] = self._advanced.get(stage, 0) + images
        if time.monotonic() - self._told >= NEWS_S:
            self.tell()

    def end(self, stage: str) -> None:
        """All are done."""
        self.tell("end", stage)

    def note(self, text: str) -> None:
        """What is news of one run is no more than what is going on to who waits for all."""
        self.tell("doing", text)

    def doing(self, text: str) -> None:
        """What is going on."""
        self.tell("doing", text)

    def free(self, found: Any = None) -> None:
        """The rest needs one core and little time: the next task may begin beside it, and may use what was found."""
        self.tell("free", found)


Work = Callable[[dict[str, Any], Teller], None]


def attempt(work: Work, task: dict[str, Any], teller: Teller) -> None:
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
