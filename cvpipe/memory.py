"""Freed memory is kept for the next array, where a process is ours alone.

glibc gives arrays above 32 MB back to the system when they are freed, and gets them anew, page by page, for the next
chunk. On a virtual machine that takes a twelfth of a run of dense SIFT.
"""

from __future__ import annotations

import contextlib
import sys

LARGEST = 256 << 20
"""Arrays from here on still go back at once, bytes."""
LARGEST_BEFORE = 32 << 20
"""The largest limit that older versions of glibc take, bytes."""
KEPT = 512 << 20
"""How much may lie idle at the end of a heap, bytes."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of `mallopt` as malloc.h numbers them."""


def keep_freed() -> None:
    """Keep what this process frees from here on, as far as that is worth it. Does nothing without glibc."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        if mallopt(_MMAP_THRESHOLD, LARGEST) or mallopt(_MMAP_THRESHOLD, LARGEST_BEFORE):
            mallopt(_TRIM_THRESHOLD, KEPT)  # alone it would hold the other where it is, which is lower
