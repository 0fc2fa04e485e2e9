"""How kernels are compiled: without the GIL, once for each machine. Import it with numba only, which takes a while.

numba would keep the machine code beside the source. There it outlives an uninstalled cvpipe, and what is left of the
folder hides a checkout that is installed later; so it goes into the user's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from numba.core import config as numba_config

from cvpipe.files import user_cache

config: Any = numba_config


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: `numba.njit` with these options. `$NUMBA_CACHE_DIR`, where it is set, is where the code is kept."""

    def decorate(function: Callable[..., Any]) -> Any:
        before = config.CACHE_DIR  # read by numba while it decorates
        config.CACHE_DIR = before or str(user_cache() / "compiled")
        try:
            return numba.njit(nogil=True, cache=True, **options)(function)
        finally:
            config.CACHE_DIR = before

    return decorate


@cache
def warm_up() -> None:
    """Have numba load now what it would load at its first call, so that processes forked from this one have it."""
    numba.njit(_nothing)()


def _nothing() -> None:
    pass
