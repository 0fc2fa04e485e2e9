"""Threads for one large computation, such as k-means over a million rows.

Blocks of rows are handed to plain threads, each with a BLAS of one thread: NumPy releases the GIL in products. BLAS's
own threads wait for each other by spinning, which costs 2 to 15 times on a machine that does anything else.
How many threads a computation may use is decided by whoever starts it (the conductor, around `fit`), not by the maths.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

_allowed: ContextVar[int] = ContextVar("cvpipe_threads", default=1)
_found: tuple[int, Any] | None = None
"""How many modules were imported when it was looked for libraries with threads, and what was found."""


@contextlib.contextmanager
def allow(count: int) -> Iterator[None]:
    """Inside, `map_blocks` uses up to `count` threads, and BLAS one for each of them."""
    token = _allowed.set(count)
    try:
        with one_blas_thread():
            yield
    finally:
        _allowed.reset(token)


def one_blas_thread() -> AbstractContextManager[Any]:
    """Inside, BLAS and OpenMP start no threads. Libraries are looked for where modules were imported since the last
    time only: it takes 15 ms, and a comparison asks for it hundreds of times."""
    global _found
    if _found is None or _found[0] != len(sys.modules):
        from threadpoolctl import ThreadpoolController

        _found = len(sys.modules), ThreadpoolController()
    limited: AbstractContextManager[Any] = _found[1].limit(limits=1)
    return limited


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
