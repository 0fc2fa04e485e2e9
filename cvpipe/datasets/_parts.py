"""Whether the folders in a folder are classes, or the sides of a split with classes inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cvpipe.datasets._walk import Tree, identity, listing, walk
from cvpipe.errors import DataError, listed

NAMES = {
    "train": {"train", "training"},
    "val": {"val", "valid", "validation"},
    "test": {"test", "testing"},
}
"""What the folders of a split are called, in lower case."""
COMPLETE = ({"train", "test"}, {"train", "val"}, {"train", "val", "test"})


def split_folders(root: Path) -> dict[str, str]:
    """Folder -> `train` or `test` if the folder brings its own split, otherwise the folder itself.

    Folders without images do not count. Raises `DataError` if others stand beside the folders of a split, `OSError`.
    """
    folders, above = listing(root).folders, frozenset({identity(root)})
    kinds = {name: kind for name in folders if (kind := _kind(name)) and listing(root / name).folders}
    sides: dict[str, str] = {}
    for name, kind in kinds.items():
        sides.setdefault(kind, name)
    if set(sides) not in COMPLETE:
        return {"": ""}  # classes, though one may be called `train`: a side of a split holds class folders
    rest = [name for name in folders if name not in sides.values()]
    others = [name for name in rest if _has_images(root / name, above)]
    if others:
        raise DataError(_too_many([sides[kind] for kind in NAMES if kind in sides], others), where=str(root))
    tested = "test" if "test" in sides else "val"
    return {name: "test" if kind == tested else "train" for kind, name in sides.items()}


def _kind(name: str) -> str:
    return next((kind for kind, names in NAMES.items() if name.lower() in names), "")


def _has_images(folder: Path, above: frozenset[tuple[int, int]]) -> bool:
    """Also where they are of formats that are not read: those are not lost without a word."""
    tree = Tree()
    return next(walk(folder, tree, above), None) is not None or bool(tree.unread)


def _too_many(names: Sequence[str], others: Sequence[str]) -> str:
    sides = listed([f"`{name}`" for name in names], "and")
    rest = listed([f"`{name}`" for name in others], "and")
    stand, them = ("stands", "it") if len(others) == 1 else ("stand", "them")
    return f"{sides} are folders of a split, but {rest} {stand} beside them; move {them} away"
