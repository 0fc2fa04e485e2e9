"""What can be done while candidates are at work, by whoever waits for them, at a low priority."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

LOW = 5
"""The priority, as `nice` counts: a third of the time that others get. With less, a thread that holds the interpreter
would keep the one that hears the candidates waiting for half a second."""


class Meanwhile(AbstractContextManager):
    """Inside, things are done one after the other in the background, once that has begun. Where it ends, what is at
    work is waited for, and the rest is dropped: nobody hears of it, and whoever needs it does it himself."""

    def __init__(self) -> None:
        self._things: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._dropped = False

    def __exit__(self, *error: Any) -> None:
        self._dropped = True
        self._things.put(None)
        if self._thread:
            self._thread.join()  # inside a C++ library when Python ends it would make the system abort

    def do(self, thing: Callable[[], Any]) -> None:
        """Do it in its turn. Nobody hears what it gives, or that it failed."""
        self._things.put(thing)

    def begin(self) -> None:
        """Begin, if that has not been said before."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._labour, daemon=True)
            self._thread.start()

    def _labour(self) -> None:
        _give_way()
        while (thing := self._things.get()) and not self._dropped:
            with contextlib.suppress(Exception):
                thing()


def _give_way() -> None:
    """This thread takes less time than others."""
    if sys.platform == "linux":  # elsewhere priority is that of the whole process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW)
