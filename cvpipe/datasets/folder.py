"""A folder of class folders: the layout in which most people keep their images."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cvpipe.data import Dataset, Images
from cvpipe.datasets._files import as_id, unread_text
from cvpipe.datasets._parts import split_folders
from cvpipe.datasets._source import Source
from cvpipe.datasets._walk import Tree, identity, listing, walk
from cvpipe.errors import DataError
from cvpipe.files import user_path
from cvpipe.options import PathText

LAYOUT = "one folder for each class, with its images inside: PATH/cat/1.jpg, PATH/dog/2.jpg"


class Folder(Source):
    """Your images, one folder for each class.

    Every image file (PNG, JPEG, TIFF, BMP, PPM, WebP, GIF) below `PATH/<class>/`, however deep. Hidden files
    and what systems put beside images (`__MACOSX`, `@eaDir`) are left out, other files are counted in the note,
    images of formats that are not read (HEIC, AVIF, raw) in a warning.
    If the only folders with images in PATH are `train` and `test` (or `val`, or all three), each with class
    folders, the split is given by them: use `split: {given: true}`; with all three, `val` is part of the
    training images. Images, licence and protocol are your own.
    """

    path: PathText  # the folder; `~` is the home folder, a relative path starts at the current one

    @property
    def label(self) -> str:
        """The name of the folder."""
        return as_id(user_path(self.path).resolve().name) or self.name

    def load(self) -> Dataset:
        """List the images by path; read none. Raises `DataError`: no folder, no classes, no images."""
        root = user_path(self.path)
        found = Found(root)
        try:
            _check_folder(root)
            parts = split_folders(root)
            for part, given in parts.items():
                found.add_classes(root / part, given)
        except OSError as error:
            raise DataError(f"cannot list '{error.filename}': {error.strerror}", where=self.path) from error
        if not found.ids:
            raise DataError(_nothing_there(found), where=self.path)
        return found.dataset(given=list(parts) != [""])


@dataclass
class Found:
    """What was found so far, one entry for each image."""

    root: Path
    ids: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    loose: int = 0
    tree: Tree = field(default_factory=Tree)

    def add_classes(self, folder: Path, given: str) -> None:
        """Each folder inside is a class."""
        content = listing(folder)
        # A link to one of these inside a class would make the images of other classes part of it.
        above = frozenset(map(identity, (folder, self.root, *self.root.resolve().parents)))
        self.loose += len(content.images)
        self.tree.others += len(content.others)
        self.tree.unread += [folder / name for name in content.unread]
        for label in content.folders:
            paths = sorted(
                walk(folder / label, self.tree, above), key=lambda p: p.relative_to(self.root).parts
            )
            if not paths:
                self.empty.append(as_id(str((folder / label).relative_to(self.root))))
            self.paths += paths
            self.ids += [as_id(str(path.relative_to(self.root))) for path in paths]
            self.labels += [as_id(label)] * len(paths)
            self.given += [given] * len(paths)

    def dataset(self, given: bool) -> Dataset:
        """All of it, with a note on what was left out."""
        name = as_id(self.root.resolve().name) or "folder"
        images = Images.from_files(self.paths, self.ids)
        split = np.array(self.given) if given else None
        return Dataset(
            name, images, np.array(self.labels), None, split, self._note(), tuple(self._warnings())
        )

    def _warnings(self) -> Iterator[str]:
        if self.tree.unread:
            yield unread_text(self.tree.unread)
        inner = Path(os.path.commonpath([path.parent for path in self.paths]))
        below = {path.relative_to(inner).parts[0] for path in self.paths if path.parent != inner}
        if len(set(self.labels)) == 1 and inner != self.root and len(below) > 1:
            name = as_id(str(inner.relative_to(self.root)))
            said = f"`{name}` holds {len(below)} folders of images"
            yield f"{said}: --data {shlex.quote(as_id(str(inner)))}?"

    def _note(self) -> str:
        counts = {
            "file(s) that are no images were left out": self.tree.others,
            "image(s) outside of class folders were left out": self.loose,
            "link(s) back to a folder above were not followed": self.tree.loops,
        }
        notes = [f"{count} {what}" for what, count in counts.items() if count]
        notes += [f"class folder without images: {name}" for name in self.empty]
        return "; ".join(notes)


def _check_folder(root: Path) -> None:
    if os.path.isdir(root):
        return
    if root.is_symlink() and not os.path.exists(root):
        raise DataError("a link that leads nowhere or to itself", where=str(root))
    raise DataError("not a folder" if os.path.exists(root) else "no such folder", where=str(root))


def _nothing_there(found: Found) -> str:
    what = "the folder is empty"
    if found.loose:
        what = f"{found.loose} image(s) directly in the folder, but no class folders"
    elif found.tree.unread:
        what = unread_text(found.tree.unread)
    elif found.empty:
        what = f"no images in {len(found.empty)} class folder(s)"
    elif found.tree.others:
        what = f"no class folders and no images, only {found.tree.others} other file(s)"
    return f"{what}; the layout is {LAYOUT}"
