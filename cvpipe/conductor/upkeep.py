"""What lies in the folder of a store, and keeping it below a limit.

Every run looks through the folder, so it is done without making an object for each path: 10,000 files take 0.3 s.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

SUFFIX = ".safetensors"
"""Ends the names of entries."""
STALE_S = 24 * 3600
"""A temporary file older than a day belongs to no living run, s."""
OFTEN_S = 60
"""How often a process looks at most how large a store is, s."""

_trimmed: dict[tuple[Path, int], float] = {}
"""When this process has trimmed a store to a limit, by its folder, s."""


def entries(folder: Path) -> list[tuple[Path, int, float]]:
    """(path, bytes, time of last use) of every entry, the longest unused first."""
    return [(Path(path), size, used) for used, size, path in _by_use(folder)]


def trim(folder: Path, limit: int) -> None:
    """Remove what was used longest ago until at most `limit` bytes are left, and what killed runs left half-written."""
    found = _by_use(folder)
    excess = sum(size for _, size, _ in found) - limit
    for _, size, path in found:
        if excess <= 0:
            break
        remove(path)
        excess -= size
    for path in _names(folder, ".part"):
        if os.path.basename(path).startswith(".") and _state(path)[0] < time.time() - STALE_S:
            remove(path)


def trim_sometimes(folder: Path, limit: int) -> None:
    """Trim a store, unless this process has just done so."""
    now = time.monotonic()
    if now - _trimmed.get((folder, limit), -OFTEN_S) >= OFTEN_S:
        trim(folder, limit)
        _trimmed[folder, limit] = now


def remove(path: str | Path) -> None:
    """Remove a file, if it is there; a read-only cache is still a cache."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _by_use(folder: Path) -> list[tuple[float, int, str]]:
    """(time of last use, bytes, path) of every entry, sorted."""
    return sorted((*_state(path), path) for path in _names(folder, SUFFIX))


def _names(folder: Path, ending: str) -> Iterator[str]:
    """The files of a store whose names end so."""
    for inside in _listed(str(folder)):
        if len(inside) == 2:
            below = os.path.join(folder, inside)
            yield from (os.path.join(below, name) for name in _listed(below) if name.endswith(ending))


def _listed(folder: str) -> list[str]:
    """The names in a folder; none where there is no folder, or it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _state(path: str) -> tuple[float, int]:
    """Time of last use and bytes; of a file that is gone meanwhile now, and none."""
    try:
        stat = os.stat(path)
    except OSError:
        return time.time(), 0
    return stat.st_mtime, stat.st_size
