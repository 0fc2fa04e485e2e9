"""Workers: threads over images, each with one OpenCV and one BLAS thread.

OpenCV and NumPy release the GIL, so threads share memory and lose nothing; libraries that start threads of their own
inside each worker are 1.5 to 15 times slower than one thread each.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

P = TypeVar("P")
R = TypeVar("R")

GRACE_S = 2.0
"""How long a pass that was broken off waits for the tasks at work, s: a chunk of photographs takes about 1 s."""

_passes = itertools.count()
_open: set[tuple[int, int]] = set()
_busy: Counter[tuple[int, int]] = Counter()
_changed = threading.Condition()


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
    from threadpoolctl import threadpool_limits

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        cv2.setNumThreads(before)


@contextlib.contextmanager
def over(jobs: int, work: Callable[[P], R], parts: Iterable[P]) -> Iterator[Iterator[R]]:
    """Inside, the results of `work` for each part, in order, by so many workers.

    However it ends, what has not begun is dropped, and what is at work is waited for up to `GRACE_S`: a thread that is
    still inside a C++ library when Python ends makes the system abort the process. `busy` tells whether one is left.
    """
    from joblib import Parallel, delayed

    call = (os.getpid(), next(_passes))
    _open.add(call)
    pool = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")
    with one_thread_each():
        results = pool(delayed(_counted)(call, work, part) for part in parts)
        try:
            yield results
        finally:
            _open.discard(call)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib tells that tasks were dropped; they were meant to be
                results.close()
            with _changed:
                _changed.wait_for(lambda: not _busy[call], GRACE_S)


def busy() -> bool:
    """Whether a task of a pass that was broken off is still at work."""
    with _changed:
        return any(count for call, count in _busy.items() if call not in _open)


def _counted(call: tuple[int, int], work: Callable[[P], R], part: P) -> R | None:
    with _changed:
        if call[0] == os.getpid() and call not in _open:
            return None
        _busy[call] += 1
    try:
        return work(part)
    finally:
        with _changed:
            _busy[call] -= 1
            if not _busy[call]:
                del _busy[call]
            _changed.notify_all()


def resident_mb() -> float:
    """The memory that this process holds now, MB (its peak so far where the system does not tell)."""
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
