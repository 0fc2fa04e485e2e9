"""Images that are decoded on demand, a few at a time, so that a data set may be larger than memory."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, Self, cast, overload

import numpy as np

from cvpipe.data.decode import decode, read_bytes
from cvpipe.data.pixels import to_rgb8
from cvpipe.errors import BadImage, Problem, RunError
from cvpipe.wording import shown

JUST_NOW_NS = 10**8
"""Who writes a file twice within the grain of its times, a few ms, leaves it in one state with two contents, ns."""
COLOURS = (3, 4)
"""Channels of a colour image: an array of three axes whose last has so many is one image, not n grey ones."""


class Item(Protocol):
    """One image wherever it lies."""

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB. Raises `BadImage`."""
        ...

    def token(self) -> str:
        """A hash of the content: equal tokens mean equal pixels. Raises `BadImage`."""
        ...


@dataclass(frozen=True)
class FileItem:
    """An image in a file."""

    path: Path
    expected: str = ""
    """The token of the content that it has to have; empty for any."""

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, upright. Raises `BadImage`."""
        data = read_bytes(self.path)
        if self.expected and _hashed(data) != self.expected:
            raise BadImage("the file was changed after it was looked at")
        return decode(data)

    def token(self) -> str:
        """SHA-1 of the file's bytes; not computed again as long as the file is as it was."""
        try:
            stat = self.path.stat()
        except OSError:
            return _sha1(self.path)  # which tells what is wrong
        if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < JUST_NOW_NS:
            return _sha1(self.path)
        return _remembered(self.path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _sha1(path: Path) -> str:
    return _hashed(read_bytes(path))


def _hashed(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


@lru_cache(200_000)  # some 60 MB
def _remembered(path: Path, *state: int) -> str:
    """The hash of a file in a state: number, bytes, and times of content and of anything, in ns."""
    return _sha1(path)


@dataclass(frozen=True, eq=False)
class ArrayItem:
    """An image in memory: (H, W), (H, W, 1), (H, W, 2), (H, W, 3) or (H, W, 4), of any type `to_rgb8` takes."""

    array: np.ndarray

    def read(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB."""
        return to_rgb8(self.array)

    def token(self) -> str:
        """SHA-1 of the shape, the type and the values."""
        head = f"{self.array.dtype.str}{self.array.shape}".encode()
        return hashlib.sha1(head + self.array.tobytes(), usedforsecurity=False).hexdigest()


class Images:
    """n images by id. `images[3]` is pixels, `images[2:5]`, `images[mask]` are `Images`; iterating decodes one by one.

    It has a `shape`, so scikit-learn splits it as it splits an array, and nothing is decoded by that.
    """

    def __init__(self, ids: Sequence[str], items: Sequence[Item]) -> None:
        if len(ids) != len(items):
            raise ValueError(f"{len(ids)} ids for {len(items)} images")
        self._ids = np.asarray(ids, dtype=object)
        self._items = np.empty(len(items), dtype=object)
        self._items[:] = items

    @classmethod
    def from_files(cls, paths: Iterable[str | Path], ids: Sequence[str] | None = None) -> Self:
        """Images in files; the paths are the ids unless others are given."""
        _several(paths)
        listed = list(paths)
        return cls([str(p) for p in listed] if ids is None else ids, [FileItem(Path(p)) for p in listed])

    @classmethod
    def from_arrays(cls, arrays: Sequence[np.ndarray] | np.ndarray, ids: Sequence[str] | None = None) -> Self:
        """Images in memory; `00000`, `00001`, … are the ids unless others are given."""
        _several(arrays)
        names = [f"{i:05d}" for i in range(len(arrays))] if ids is None else ids
        return cls(names, [ArrayItem(np.asarray(a)) for a in arrays])

    @classmethod
    def concat(cls, parts: Sequence[Images]) -> Self:
        """One after the other."""
        return cls([i for part in parts for i in part.ids], [item for part in parts for item in part.items])

    def expecting(self, tokens: Sequence[str]) -> Images:
        """The same, but files that no longer have the content with these tokens are bad images: what is kept under
        a token has to be of that content."""
        items = [FileItem(item.path, token) if isinstance(item, FileItem) else item
                 for item, token in zip(self._items, tokens, strict=True)]  # fmt: skip
        return Images(self.ids, items)

    @property
    def ids(self) -> list[str]:
        """The names of the images, in order."""
        return list(self._ids)

    @property
    def items(self) -> list[Item]:
        """Where the images lie, in order."""
        return list(self._items)

    @property
    def shape(self) -> tuple[int]:
        """(n,): the number of images."""
        return (len(self),)

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, key: int | np.integer) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: Any) -> Images: ...
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):  # scikit-learn asks for images[rows, ...]
            key = key[0]
        if isinstance(key, int | np.integer):
            return self._read(key)
        index: Any = key if isinstance(key, slice) else np.arange(len(self))[key]
        return Images(self._ids[index], self._items[index])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._read(row) for row in range(len(self)))

    def _read(self, row: int | np.integer) -> np.ndarray:
        try:
            return cast(Item, self._items[row]).read()
        except BadImage as error:  # an item does not know its name
            raise BadImage([Problem(p.message, self._ids[row]) for p in error.problems]) from error

    def __repr__(self) -> str:
        return f"Images({len(self)})"


def _several(images: Any) -> None:
    """Raise `RunError` for one image or path by itself, whose rows or letters would pass for images."""
    if isinstance(images, str | Path):
        raise RunError(f"images must be a list, also of one path: [{str(images)!r}]")
    if not isinstance(images, Iterable):
        raise RunError(f"images must be a list of paths or arrays, got {shown(images)}")
    if isinstance(images, np.ndarray) and images.dtype.kind in "biuf":
        colour = images.ndim == 3 and images.shape[-1] in COLOURS
        if images.ndim < 3 or colour:
            raise RunError(f"images must be a list, also of one image: got an array of shape {images.shape}")


def as_images(images: Any) -> Images:
    """`Images` as they are; a list of paths or of arrays, or an array of n images, becomes `Images`.

    Raises `RunError` for anything else, also for one image by itself.
    """
    if isinstance(images, Images):
        return images
    _several(images)
    listed = list(images)
    if all(isinstance(item, str | Path) for item in listed):
        return Images.from_files(listed)
    if all(isinstance(item, np.ndarray) for item in listed):
        return Images.from_arrays(listed)
    raise RunError("images must be `Images`, or a list of paths, or a list of (H, W, 3) arrays")
