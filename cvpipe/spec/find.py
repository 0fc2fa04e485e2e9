"""Where a spec lies: a file, or the name of one that is shipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path

from cvpipe.errors import SpecError, did_you_mean
from cvpipe.files import user_path

SUFFIXES = (".yaml", ".yml")


def shipped_specs() -> list[str]:
    """The names of the specs that come with cvpipe, sorted."""
    return sorted(
        f.name.removesuffix(".yaml") for f in files("cvpipe_pipelines").iterdir() if f.name.endswith(".yaml")
    )


def read_spec(path_or_name: str | Path) -> tuple[str, str, str]:
    """The text of a spec, what messages call it, and the name it has unless it says another.

    A file that exists wins over a shipped name. Raises `SpecError`.
    """
    text = str(path_or_name)
    if not os.path.isfile(user_path(text)) and text in shipped_specs():
        data = files("cvpipe_pipelines").joinpath(f"{text}.yaml").read_bytes()
        return _decode(data, f"{text}.yaml"), f"{text}.yaml", text
    return _decode(_read(text), text), text, Path(text).stem


def _read(text: str) -> bytes:
    path = user_path(text)
    try:
        if not text:
            raise FileNotFoundError
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        near = near_path(path, is_spec, shipped_specs())
        said = f"no such file, and no shipped spec of that name{near}; `cvpipe init --list` lists all"
    except IsADirectoryError:
        inside = sorted(f.name for f in path.iterdir() if is_spec(f))
        said = "is a folder, not a spec" + (f"; it holds {', '.join(inside[:5])}" if inside else "")
    except OSError as error:
        said = f"cannot be read: {error.strerror}"
    raise SpecError(said, where=text or "''")


def is_spec(path: Path) -> bool:
    """Does the name of a file say that it is a spec?"""
    return path.suffix in SUFFIXES


def near_path(path: Path, fits: Callable[[Path], bool], names: Iterable[str]) -> str:
    """` (did you mean 'pipelines/x.yaml'?)`: the nearest of some names and the files beside a missing one."""
    try:
        beside = {found.name: str(found) for found in path.parent.iterdir() if fits(found)}
    except OSError:
        beside = {}
    near = did_you_mean(path.name, [*names, *beside])
    word = near.partition("'")[2].rpartition("'")[0]
    return near.replace(word, beside.get(word, word)) if near else ""


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SpecError(f"is not UTF-8 text (line {line}, byte {error.start})", where=name) from None
