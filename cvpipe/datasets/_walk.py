"""All files below a folder, in an order that does not depend on the file system."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cvpipe.datasets._files import is_image, is_unread

OF_SYSTEMS = ("__MACOSX", "@eaDir")
"""Folders that a Mac puts into archives and a Synology disk station beside images: copies and thumbnails."""


@dataclass
class Listing:
    """What lies directly in a folder, without hidden names and folders of systems, sorted."""

    folders: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def listing(folder: Path) -> Listing:
    """The content of one folder. Links to folders are folders. Raises `OSError`."""
    found = Listing()
    for name in sorted(os.listdir(folder)):
        if name.startswith(".") or name in OF_SYSTEMS:
            continue
        if os.path.isdir(folder / name):
            found.folders.append(name)
        elif is_image(name):  # a broken link too: reading it says what is wrong
            found.images.append(name)
        elif is_unread(name):
            found.unread.append(name)
        else:
            found.others.append(name)
    return found


@dataclass
class Tree:
    """What `walk` saw besides images."""

    others: int = 0
    """Files that are no images."""
    loops: int = 0
    """Links back to a folder above."""
    unread: list[Path] = field(default_factory=list)
    """Images of formats that are not read."""


def identity(folder: Path) -> tuple[int, int]:
    """What tells that two paths lead to one folder. Raises `OSError`."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def walk(folder: Path, tree: Tree, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """The image files in a folder and all folders below, sorted; links back upwards are not followed."""
    here = identity(folder)
    if here in above:
        tree.loops += 1
        return
    found = listing(folder)
    tree.others += len(found.others)
    tree.unread += [folder / name for name in found.unread]
    yield from (folder / name for name in found.images)
    for name in found.folders:
        yield from walk(folder / name, tree, above | {here})
