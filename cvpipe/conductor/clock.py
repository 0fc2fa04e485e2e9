"""How long a run takes, without what others do meanwhile."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Counts the seconds from its making on."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Inside, time is somebody else's."""
        began = time.perf_counter()
        yield
        self._began += time.perf_counter() - began

    def seconds(self) -> float:
        """Wall seconds until now."""
        return time.perf_counter() - self._began
