"""Paths as users write them, files that look like images, and files that installed packages bring along."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from cvpipe.errors import DataError

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".gif"}
    | {".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm"}
)
"""Endings of the formats that `cvpipe.data.decode` reads, in lower case."""


def expand(path: str) -> Path:
    """A path as it stands in a spec: `~` is the home folder, a relative one starts at the current folder."""
    return Path(path).expanduser()


def is_image(name: str) -> bool:
    """True if the ending of a file's name is that of an image format; the case does not matter."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def as_id(path: str) -> str:
    """A path with `/` between its parts, legal as text: bytes that are no UTF-8 are written as `\\xNN`."""
    return os.fsencode(path.replace(os.sep, "/")).decode("utf-8", "backslashreplace")


def shipped(package: str, file: str) -> Path:
    """A file inside an installed package, found without importing it. Raises `DataError` if there is none."""
    spec = find_spec(package)
    for folder in spec.submodule_search_locations or () if spec else ():
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    raise DataError(f"the installed package '{package}' has no file '{file}'")
