"""Names for results: equal names mean equal content, so a result may be taken from the cache.

A stage's key is a hash of the key before it, its name, its parameters, the sources it is built from (its module, those
of its parts, and what they import that is not installed from elsewhere), the versions of the libraries they use, and
the content of the files that they read. A learner's key adds what it was trained on. A chunk's key adds the ids and the
content hashes of its images. Arrays are never hashed.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe import device
from cvpipe.composite import Composite
from cvpipe.conductor.sources import code_of, code_of_class
from cvpipe.configurable import Configurable, parts_of
from cvpipe.stage import Stage, learns

DECODER = "cvpipe.data.decode"
"""The module whose source and libraries decide what pixels a file becomes."""

SAMPLER = "cvpipe.conductor.sample"
"""The module that decides which rows a learner sees."""

STAGES = "cvpipe.stages."
"""Begins the modules that have stages."""


def digest(*parts: Any) -> str:
    """64 hexadecimal digits for anything JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=plain).encode()).hexdigest()


def plain(value: Any) -> Any:
    """A parameter's value as JSON: a part with parameters of its own as `{use: name, option: value}`."""
    if isinstance(value, Configurable):
        return {"use": value.name, **value.get_params(deep=False)}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a parameter of type {type(value).__name__} cannot be written down: {value!r}")


def remember_sources() -> None:
    """Find out now what the stages that are imported are built from, so that processes forked from this one know."""
    stages = [name for name in sys.modules if name.startswith(STAGES)]
    for module in (DECODER, SAMPLER, *stages):
        code_of(module)


def images_key() -> str:
    """The key before the first stage: how files become pixels."""
    return digest("images", code_of(DECODER))


def stage_key(before: str, stage: Stage) -> str:
    """The key of a stage after `before`."""
    code: list[Any] = [code_of(module) for module in sorted(_modules(stage))]
    code += sorted(name for cls in _classes(stage) for name in code_of_class(cls))
    key = digest(before, stage.name, stage.get_params(deep=False), code, _read_by(stage))
    return key if device.current() == "cpu" else digest(key, device.current())


def link_key(before: str, stage: Stage, seen: str) -> str:
    """The key of a stage after `before`, fitted on the training images with the key `seen` if it learns."""
    key = stage_key(before, stage)
    if isinstance(stage, Composite):
        return digest(key, [chain_keys(branch, seen, before)[-1:] for branch in stage.chains()])
    return fit_key(key, seen) if learns(stage) else key


def seen_key(ids: Sequence[str], tokens: Sequence[str], labels: np.ndarray, train: np.ndarray) -> str:
    """The key of training images: id, content hash and label of each, in this order."""
    rows = train.tolist()
    return digest([ids[i] for i in rows], [tokens[i] for i in rows], labels[train].tolist())


def fit_key(key: str, seen: str) -> str:
    """The key of a learner that was fitted on the training images with the key `seen`."""
    return digest(key, code_of(SAMPLER), seen)


def unfinished_key(key: str) -> str:
    """The key of what the learner with the key `key` keeps while it is being fitted."""
    return digest(key, "unfinished")


def chain_keys(stages: Iterable[Stage], seen: str, before: str = "") -> list[str]:
    """The key of each stage in a chain after `before` (by default after the images) whose learners are fitted on the
    training images with the key `seen`."""
    key, found = before or images_key(), []
    for stage in stages:
        key = link_key(key, stage, seen)
        found.append(key)
    return found


def chunk_key(key: str, ids: Sequence[str], tokens: Sequence[str]) -> str:
    """The key of what a stage gives for some images."""
    return digest(key, list(ids), list(tokens))


def _modules(thing: Configurable) -> set[str]:
    """The modules of an object, of what its options name, and of its parts."""
    named = thing.built_from() if isinstance(thing, Stage) else ()
    return {type(thing).__module__, *named}.union(*map(_modules, _parts(thing)))


def _classes(thing: Configurable) -> set[type]:
    """The classes of an object and of its parts."""
    return {type(thing)}.union(*map(_classes, _parts(thing)))


def _parts(thing: Configurable) -> list[Configurable]:
    return [part for value in thing.get_params(deep=False).values() for part in parts_of(value)]


def _read_by(stage: Configurable) -> list[str]:
    """Hashes of the files that a stage and its parts read, and of what was learned elsewhere."""
    own = [_content(path) for path in stage.reads()] if isinstance(stage, Stage) else []
    own += [stage.sealed] if isinstance(stage, Stage) and stage.sealed else []
    return own + [name for part in _parts(stage) for name in _read_by(part)]


def _content(path: Path) -> str:
    """The hash of a file, or of all files below a folder; of nothing where there is none, which the stage will tell."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return digest([(file.name, _hash(file, *_stamp(file))) for file in files if file.is_file()])


def _stamp(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns


@cache
def _hash(file: Path, size: int, changed: int) -> str:
    """SHA-256 of a file, read again when its size or its time has changed."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
