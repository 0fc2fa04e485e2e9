"""Threads for one large computation, such as k-means over a million rows.

Blocks of rows are handed to plain threads, each with a BLAS of one thread: NumPy releases the GIL in products. BLAS's
own threads wait for each other by spinning, which costs 2 to 15 times on a machine that does anything else.
How many threads a computation may use is decided by whoever starts it (the conductor, around `fit`), not by the maths.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_allowed: ContextVar[int] = ContextVar("cvpipe_threads", default=1)


@contextlib.contextmanager
def allow(count: int) -> Iterator[None]:
    """Inside, `map_blocks` uses up to `count` threads, and BLAS one for each of them."""
    from threadpoolctl import threadpool_limits

    token = _allowed.set(count)
    try:
        with threadpool_limits(1):
            yield
    finally:
        _allowed.reset(token)


def map_blocks(work: Callable[[int, int], T], rows: int, block: int) -> list[T]:
    """`work(start, stop)` for blocks of rows that together cover `rows`, in order, in the threads that are allowed.

    Blocks start at multiples of `block` however many threads there are, so results do not depend on their number.
    """
    starts = range(0, rows, block)
    stops = [min(start + block, rows) for start in starts]
    threads = min(_allowed.get(), len(starts))
    if threads <= 1:
        return [work(start, stop) for start, stop in zip(starts, stops, strict=True)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, starts, stops))


def allowed() -> int:
    """How many threads a computation may use here."""
    return _allowed.get()
