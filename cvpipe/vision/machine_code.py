"""Where the machine code of kernels is kept. Imports no numba, which takes a while.

numba would keep it beside the source. There it outlives an uninstalled cvpipe, and what is left of the folder hides a
checkout that is installed later; so it goes into the user's cache.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from cvpipe.files import user_cache

ROOMS = ("vision", "nets")
"""Those that have kernels."""
KERNEL = re.compile(rb"^(from cvpipe\.vision\.compiled import|@fast\b)", re.MULTILINE)
"""What files with kernels have in them."""
SHAPE = re.compile(rb"^class \w+\(NamedTuple\)", re.MULTILINE)
"""What files have in them that may say in which order a kernel is given its arrays."""


@cache
def folder() -> Path:
    """One folder for each state of all kernels. numba compiles again when the file of a kernel changes, but not when
    that of a kernel it calls does."""
    state = hashlib.sha256()
    house = Path(__file__).parents[1]
    for path in sorted(path for room in ROOMS for path in (house / room).glob("*.py")):
        source = path.read_bytes()
        if KERNEL.search(source) or SHAPE.search(source):
            state.update(source)
    return user_cache() / "compiled" / state.hexdigest()[:16]
