"""How kernels are compiled: without the GIL, once for each machine. Import it with numba only, which takes a while.

numba would keep the machine code beside the source. There it outlives an uninstalled cvpipe, and what is left of the
folder hides a checkout that is installed later; so it goes into the user's cache.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config as numba_config

from cvpipe.files import user_cache

config: Any = numba_config
KERNEL = re.compile(rb"^(from cvpipe\.vision\.compiled import|@fast\b)", re.MULTILINE)
"""What files with kernels have in them."""


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
def folder() -> Path:
    """Where machine code is kept: one folder for each state of all kernels. numba compiles again when the file of a
    kernel changes, but not when that of a kernel it calls does."""
    state = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].glob("*/*.py")):
        if KERNEL.search(source := path.read_bytes()):
            state.update(source)
    return user_cache() / "compiled" / state.hexdigest()[:16]


@cache
def warm_up() -> None:
    """Have numba load now what it would load at its first call, so that processes forked from this one have it."""
    numba.njit(_nothing)()


def _nothing() -> None:
    pass
