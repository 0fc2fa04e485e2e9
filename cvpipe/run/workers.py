"""Workers: threads over images, each with one OpenCV and one BLAS thread.

OpenCV and NumPy release the GIL, so threads share memory and lose nothing; libraries that start threads of their own
inside each worker are 1.5 to 15 times slower than one thread each.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any


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
