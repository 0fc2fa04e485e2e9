"""What can be done while candidates are at work, by whoever waits for them, at a low priority."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

LONG_S = 2.0
"""A candidate that has been at work for so long is one that a second of somebody else's work does not disturb, s."""
LOW = 5
"""The priority, as `nice` counts: a third of the time that others get. With less, a thread that holds the interpreter
would keep the one that hears the candidates waiting for half a second."""


class Meanwhile(AbstractContextManager):
    """Inside, things are done one after the other in the background, once that has begun. Where it ends, what is at
    work is waited for, and the rest is dropped: nobody hears of it, and whoever needs it does it himself."""

    def __init__(self) -> None:
        self._things: queue.SimpleQueue[tuple[Callable[[], Any], float] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._turn = 0.0
        """When a candidate began last, s."""
        self._dropped = threading.Event()

    def __exit__(self, *error: Any) -> None:
        self._dropped.set()
        self._things.put(None)
        if self._thread:
            self._thread.join()  # inside a C++ library when Python ends it would make the system abort

    def do(self, thing: Callable[[], Any], patience_s: float = 0.0) -> None:
        """Do it in its turn, and when a candidate has been at work for so long: it would disturb what is measured of
        shorter ones. Nobody hears what it gives, or that it failed."""
        self._things.put((thing, patience_s))

    def begin(self) -> None:
        """A candidate begins, maybe the first."""
        self._turn = time.monotonic()
        if self._thread is None:
            self._thread = threading.Thread(target=self._labour, daemon=True)
            self._thread.start()

    def _labour(self) -> None:
        _give_way()
        while given := self._things.get():
            thing, patience_s = given
            while (left := self._turn + patience_s - time.monotonic()) > 0 and not self._dropped.wait(left):
                pass  # another has begun
            if self._dropped.is_set():
                return
            with contextlib.suppress(Exception):
                thing()


def _give_way() -> None:
    """This thread takes less time than others."""
    if sys.platform == "linux":  # elsewhere priority is that of the whole process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOW)
