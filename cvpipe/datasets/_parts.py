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

    Folders without images do not count. Raises `DataError` if others stand beside the folders of a split, or if only
    one of its sides has class folders; `OSError`.
    """
    folders, above = listing(root).folders, frozenset({identity(root)})
    kinds = {name: kind for name in folders if (kind := _kind(name)) and listing(root / name).folders}
    sides: dict[str, str] = {}
    for name, kind in kinds.items():
        sides.setdefault(kind, name)
    if set(sides) not in COMPLETE:
        _refuse_flat_side(root, list(kinds), [name for name in folders if _has_images(root / name, above)])
        return {"": ""}  # classes, though one may be called `train`: a side of a split holds class folders
    rest = [name for name in folders if name not in sides.values()]
    others = [name for name in rest if _has_images(root / name, above)]
    if others:
        raise DataError(_too_many([sides[kind] for kind in NAMES if kind in sides], others), where=str(root))
    tested = "test" if "test" in sides else "val"
    return {name: "test" if kind == tested else "train" for kind, name in sides.items()}


def _refuse_flat_side(root: Path, nested: Sequence[str], folders: Sequence[str]) -> None:
    """Raise `DataError` if the folders with images are called like the sides of a split, and images of one lie in class
    folders, of another do not: as competitions give them, whose test images have no classes."""
    flat = [name for name in folders if name not in nested]
    if len({_kind(name) for name in folders}) < 2 or not all(map(_kind, folders)) or not nested or not flat:
        return
    inside = listing(root / nested[0])
    if len(inside.folders) > 1 and not inside.images:
        raise DataError(
            f"`{nested[0]}` holds {len(inside.folders)} class folders, but the images of `{flat[0]}` have no classes; "
            f"give the folder `{nested[0]}` alone, or put the others into class folders too",
            where=str(root),
        )


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
