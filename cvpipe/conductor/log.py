"""`log.txt`: what a run told while it ran, with the time of day."""

from __future__ import annotations

import time
from pathlib import Path

from cvpipe.conductor.progress import Progress
from cvpipe.errors import RunError


class Logged(Progress):
    """A listener that also writes a log; everything is handed on to another listener."""

    def __init__(self, path: Path, listener: Progress) -> None:
        self.path = path
        self.listener = listener
        self._images: dict[str, int] = {}

    def begin(self, stage: str, total: int) -> None:
        """A stage will see so many images."""
        self._images.setdefault(stage, 0)
        self.listener.begin(stage, total)

    def advance(self, stage: str, images: int) -> None:
        """So many more are done."""
        self._images[stage] = self._images.get(stage, 0) + images
        self.listener.advance(stage, images)

    def end(self, stage: str) -> None:
        """All are done."""
        self.write(f"{stage}: {self._images.get(stage, 0):,} images")
        self.listener.end(stage)

    def ready(self) -> None:
        """All is prepared."""
        self.listener.ready()

    def note(self, text: str) -> None:
        """News."""
        self.write(text)
        self.listener.note(text)

    def doing(self, text: str) -> None:
        """What is going on."""
        self.write(text)
        self.listener.doing(text)

    def write(self, text: str) -> None:
        """One line with the time of day. Raises `RunError`."""
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
        except OSError as error:
            raise RunError(f"cannot write the log: {error.strerror}", where=str(self.path)) from error
