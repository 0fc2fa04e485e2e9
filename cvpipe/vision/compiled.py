"""How kernels are compiled: without the GIL, once for each machine. Import it with numba only, which takes a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from numba.core import config as numba_config

from cvpipe.vision.machine_code import folder

config: Any = numba_config

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""For `fastmath`: sums may be reordered, so that they run eight at a time; NaN and infinity keep their meaning."""


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: `numba.njit` with these options. `$NUMBA_CACHE_DIR`, where it is set, is where the code is kept.

    What a kernel calls becomes part of it. Else the process that compiles would call it as it was compiled alone, later
    ones as it was compiled with the kernel, and the two may round otherwise.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        before = config.CACHE_DIR  # read by numba while it decorates
        config.CACHE_DIR = before or str(folder())
        try:
            return numba.njit(nogil=True, cache=True, forceinline=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return decorate


@cache
def warm_up() -> None:
    """Have numba load now what it would load at its first call, so that processes forked from this one have it."""
    compiled()(_nothing)()  # most of it comes with the first kernel that is read from the cache


def _nothing() -> None:
    pass
