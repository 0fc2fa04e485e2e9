"""Workers: threads over images, each with one OpenCV and one BLAS thread.

OpenCV and NumPy release the GIL, so threads share memory and lose nothing; libraries that start threads of their own
inside each worker are 1.5 to 15 times slower than one thread each.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from cvpipe import threads

P = TypeVar("P")
R = TypeVar("R")

GRACE_S = 2.0
"""How long a pass that was broken off waits for the tasks at work, s: a chunk of photographs takes about 1 s."""

FRESH_S = 0.005
"""How long a look at the memory of this process serves, s: a pass may have thousands of short steps, and each look
gives up the interpreter to another worker, up to the same time."""

_resident = -math.inf, 0.0
"""When the memory of this process was looked at last, s, and what it held, MB."""
_at_work: set[threading.Thread] = set()
"""Threads of passes, each from its beginning to its end. A thread that was joined when Ctrl-C came is no more alive to
Python 3.11, so nobody but the thread itself tells."""


def count(jobs: int | None) -> int:
    """How many workers: `jobs`, or one for each core this process may use. Negative counts back from all, as in
    joblib."""
    from joblib import cpu_count

    cores = cpu_count()
    return max(1, cores + 1 + jobs) if jobs is not None and jobs < 0 else jobs or cores


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Inside, OpenCV and BLAS start no threads."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threads.one_blas_thread():
            yield
    finally:
        cv2.setNumThreads(before)


@contextlib.contextmanager
def over(jobs: int, work: Callable[[P], R], parts: Iterable[P]) -> Iterator[Iterator[R]]:
    """Inside, the results of `work` for each part, in order, by so many workers.

    However it ends, what has not begun is dropped, and what is at work is waited for up to `GRACE_S`: a thread that is
    still inside a C++ library when Python ends makes the system abort the process. `busy` tells whether one is left.
    """
    shift = _Shift(work, parts)
    with one_thread_each():
        try:
            yield shift.results(jobs)
        finally:
            shift.end()


def busy() -> bool:
    """Whether a task of a pass is still at work; after the pass, one that was not waited for."""
    return bool(_at_work)


class _Shift(Generic[P, R]):
    """One pass over some parts. joblib would look for results every 10 ms; short passes, of which a comparison makes
    many, would mostly be waiting."""

    def __init__(self, work: Callable[[P], R], parts: Iterable[P]) -> None:
        self.work = work
        self.tasks: deque[tuple[P, Future[R]]] = deque((part, Future()) for part in parts)
        """Those that no worker has taken yet."""
        self.threads: list[threading.Thread] = []

    def results(self, jobs: int) -> Iterator[R]:
        """What the workers give, in order; a single one is the caller's own thread."""
        if jobs == 1:
            return map(self.work, [part for part, _ in self.tasks])
        promised = deque(future for _, future in self.tasks)
        for _ in range(min(jobs, len(promised))):
            self.threads.append(threading.Thread(target=self._labour, daemon=True))
            self.threads[-1].start()
        return (promised.popleft().result() for _ in range(len(promised)))

    def end(self) -> None:
        """Drop what nobody has taken, and wait for what is at work."""
        self.tasks.clear()
        until = time.monotonic() + GRACE_S
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _labour(self) -> None:
        me = threading.current_thread()
        _at_work.add(me)
        try:
            while self.tasks:
                self._do(*self.tasks.popleft())
        except IndexError:  # another was faster
            pass
        finally:
            _at_work.discard(me)

    def _do(self, part: P, future: Future[R]) -> None:
        try:
            done = self.work(part)
        except BaseException as error:  # whoever waits for the result hears it
            future.set_exception(error)
        else:
            future.set_result(done)


def resident_mb() -> float:
    """The memory that this process holds now, or held `FRESH_S` ago, MB (its peak so far where the system does not
    tell)."""
    global _resident
    now = time.monotonic()
    if now - _resident[0] > FRESH_S:
        _resident = now, _resident_mb()
    return _resident[1]


def _resident_mb() -> float:
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return peak_mb()


def peak_mb() -> float:
    """The most memory this process has held so far, MB."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit: Any = 1024 if os.uname().sysname == "Linux" else 1  # kB on Linux, bytes on macOS
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
