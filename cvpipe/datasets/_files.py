"""Files that look like images, and files that installed packages bring along."""

from __future__ import annotations

import os
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from cvpipe.errors import DataError
from cvpipe.wording import plural

IMAGE_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".gif"}
    | {".bmp", ".dib", ".ppm", ".pgm", ".pbm", ".pnm"}
)
"""Endings of the formats that `cvpipe.data.decode` reads, in lower case."""

UNREAD_SUFFIXES = frozenset(
    {".heic", ".heics", ".heif", ".avif", ".jp2", ".jxl", ".svg"}
    | {".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"}
)
"""Endings of images that it does not read: those of phones, of the web, and what cameras call raw."""


def is_image(name: str) -> bool:
    """True if the ending of a file's name is that of an image format; the case does not matter."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def is_unread(name: str) -> bool:
    """True if the ending of a file's name is that of an image format that is not read."""
    return os.path.splitext(name)[1].lower() in UNREAD_SUFFIXES


def unread_text(files: Collection[Path]) -> str:
    """How many images are left out because their formats are not read, and what to do about it."""
    of, them = ("a format that is", "it") if len(files) == 1 else ("formats that are", "them")
    endings = ", ".join(sorted({file.suffix.lower() for file in files}))
    what = f"{plural(len(files), 'image')} of {of} not read ({endings})"
    return f"{what}: convert {them}; PNG, JPEG, TIFF, BMP, PPM, WebP and GIF are read"


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
