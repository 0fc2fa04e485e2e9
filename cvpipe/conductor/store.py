"""Results on disk: chunks of batches and what learners learned, found again by key.

An entry is a file with a CRC, see `entry`. It is written under a temporary name and then renamed, so it is whole or
absent; one that is damaged all the same, or that the disk does not give back, is computed again. A process computes
the CRC of a file once, and again when the file has changed. A folder may be shared by processes and by runs. It is kept
below a limit by forgetting what was used longest ago.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.conductor import upkeep
from cvpipe.conductor.entry import Entry, decode, encode
from cvpipe.errors import RunError, SpecError
from cvpipe.files import user_cache, user_path, write_whole

LIMIT_BYTES = 20 * 10**9
"""How large the cache may grow unless CVPIPE_CACHE_GB says otherwise: the dense descriptors of some 10,000 images."""

RECENT_S = 60
"""When an entry was used last is known to the minute, s."""

_whole: dict[str, tuple[int, int, int]] = {}
"""Files whose CRC this process has found right: number, bytes and time in ns of each as they were then."""


def default_folder() -> Path:
    """`$CVPIPE_CACHE`, or `cvpipe` in the user's cache folder."""
    return user_path(os.environ.get("CVPIPE_CACHE") or user_cache())


def limit_bytes() -> int:
    """How large the cache may grow. Raises `SpecError` for a CVPIPE_CACHE_GB that is no number of at least 0."""
    text = os.environ.get("CVPIPE_CACHE_GB", "").strip()
    try:
        limit = float(text) * 1e9 if text else LIMIT_BYTES
        if limit >= 0:  # not so for NaN
            return int(min(limit, sys.maxsize))
    except ValueError:
        pass
    raise SpecError(f"CVPIPE_CACHE_GB is a number of at least 0, got '{text}'")


class Store:
    """A folder of entries by key. `read` gives None for what is absent or damaged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """The file of an entry."""
        return self.folder / key[:2] / f"{key}{upkeep.SUFFIX}"

    def has(self, key: str) -> bool:
        """Whether an entry is there; it may still turn out to be damaged when read."""
        return self.path(key).exists()

    def read(self, key: str) -> Entry | None:
        """The arrays and the note of an entry."""
        path = self.path(key)
        try:
            with path.open("rb") as file:
                state = _state(os.fstat(file.fileno()))
                entry = decode(file, trusted=_whole.get(str(path)) == state)
        except OSError:  # absent, or it cannot be read: then it is written again
            return None
        if entry is None:
            self.forget(key)
        else:
            _whole[str(path)] = _used(path, state)
        return entry

    def write(self, key: str, arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> None:
        """Keep an entry. Raises `RunError` when the folder cannot be written or the disk is full."""
        path = self.path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, encode(arrays, note))
        except OSError as error:
            hint = "free some space, set CVPIPE_CACHE to another folder, or use --no-cache"
            raise RunError(
                f"cannot write to the cache: {error.strerror}; {hint}", where=str(self.folder)
            ) from error

    def forget(self, key: str) -> None:
        """Remove an entry, if it is there."""
        upkeep.remove(self.path(key))

    def entries(self) -> list[tuple[Path, int, float]]:
        """(path, bytes, time of last use) of every entry, the longest unused first."""
        return upkeep.entries(self.folder)

    def trim(self, limit: int) -> None:
        """Forget what was used longest ago until at most `limit` bytes are left, and what killed runs left
        half-written."""
        upkeep.trim(self.folder, limit)

    def clear(self) -> None:
        """Forget everything. Only files of a store are removed."""
        for folder in {path.parent for path in self.folder.glob("??/*")}:
            shutil.rmtree(folder, ignore_errors=True)


class Nowhere(Store):
    """A store that keeps nothing: for single passes."""

    def __init__(self) -> None:
        super().__init__(Path(os.devnull))

    def read(self, key: str) -> None:
        """Nothing is ever found."""

    def write(self, key: str, arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> None:
        """Nothing is kept."""


@contextlib.contextmanager
def open_store(use_cache: bool) -> Iterator[Store]:
    """The user's cache, or a folder that is gone afterwards."""
    if use_cache:
        store = Store(default_folder())
        upkeep.trim_sometimes(store.folder, limit_bytes())
        yield store
        return
    with tempfile.TemporaryDirectory(prefix="cvpipe-", ignore_cleanup_errors=True) as folder:
        yield Store(Path(folder))


def _state(stat: os.stat_result) -> tuple[int, int, int]:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _used(path: Path, state: tuple[int, int, int]) -> tuple[int, int, int]:
    """Mark a file in this state as used now; its state from then on."""
    number, size, before = state
    now = time.time_ns()
    if abs(now - before) < RECENT_S * 10**9:
        return state
    with contextlib.suppress(OSError):  # a read-only cache is still a cache
        os.utime(path, ns=(now, now))
        return number, size, now
    return state
