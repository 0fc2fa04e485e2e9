"""Names for results: equal names mean equal content, so a result may be taken from the cache.

A stage's key is a hash of the key before it, its name, its parameters, the sources it is built from (its module, those
of its parts, and what they import that is not installed from elsewhere), the versions of the libraries they use, and
the content of the files that they read. A learner's key adds what it was trained on. A chunk's key adds the ids and the
content hashes of its images. Arrays are never hashed.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import json
import secrets
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe import device
from cvpipe.composite import Composite
from cvpipe.configurable import Configurable, parts_of
from cvpipe.stage import Stage, learns

DISTRIBUTIONS = {
    "cv2": (
        "opencv-contrib-python-headless",
        "opencv-contrib-python",
        "opencv-python-headless",
        "opencv-python",
    ),
    "skimage": ("scikit-image",),
    "sklearn": ("scikit-learn",),
    "PIL": ("pillow",),
}
"""Distributions that bring a module, where the names differ."""

DECODER = "cvpipe.data.decode"
"""The module whose source and libraries decide what pixels a file becomes."""

SAMPLER = "cvpipe.conductor.sample"
"""The module that decides which rows a learner sees."""

ROOMS = (
    "cvpipe.data",
    "cvpipe.vision",
    "cvpipe.nets",
    "cvpipe.stage",
    "cvpipe.composite",
    "cvpipe.stages",
    "cvpipe.threads",
)
"""The parts of cvpipe that a stage's results depend on."""


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


def images_key() -> str:
    """The key before the first stage: how files become pixels."""
    return digest("images", code_of(DECODER))


def stage_key(before: str, stage: Stage) -> str:
    """The key of a stage after `before`."""
    code = [code_of(module) for module in sorted(_modules(stage))]
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


@cache
def code_of(module: str) -> list[str]:
    """What decides what a module computes: hashes of its source and of what it is built from, library versions.

    A module without a source file (an interactive session) gets a name of its own, good for this process only.
    """
    sources = _closure(module)
    if sources is None:
        return [f"{module} of this process {secrets.token_hex(16)}"]
    hashes = [hashlib.sha256(source.encode()).hexdigest() for _, source in sorted(sources.items())]
    imported = {name for source in sources.values() for name in _imports(source)}
    return hashes + sorted(filter(None, map(_library, {name.split(".")[0] for name in imported})))


def _closure(module: str) -> dict[str, str] | None:
    """Source by module for `module` and for what it is built from."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        source = _source(name)
        if source is None and name == module:
            return None
        if source is not None and name not in found:
            found[name] = source
            waiting += [n for n in _imports(source) if n not in found and _is_followed(n, module)]
    return found


def _is_followed(module: str, root: str) -> bool:
    """Whether the source of what `root` imports decides results: cvpipe's rooms, the package of `root`, and whatever
    is not installed, such as a file beside the user's script."""
    package = module.split(".")[0]
    if package == "cvpipe":
        return any(module == room or module.startswith(f"{room}.") for room in ROOMS)
    return package == root.split(".")[0] or not _is_installed(package)


@cache
def _is_installed(package: str) -> bool:
    """Whether a package is Python's own, or was installed in a version that speaks for its source."""
    if package in sys.stdlib_module_names or _library(package):
        return True
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return True
    parts = Path(spec.origin).parts if spec and spec.origin else ("site-packages",)
    return "site-packages" in parts or "dist-packages" in parts


def _modules(thing: Configurable) -> set[str]:
    """The modules of an object and of its parts."""
    return {type(thing).__module__}.union(*map(_modules, _parts(thing)))


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


@cache
def _source(module: str) -> str | None:
    try:
        if module in sys.modules:
            return inspect.getsource(sys.modules[module])
        spec = importlib.util.find_spec(module)
        return Path(spec.origin).read_text() if spec and spec.origin else None
    except (ImportError, OSError, TypeError, ValueError):
        return None


@cache
def _imports(source: str) -> frozenset[str]:
    """Every module that a source imports, also inside functions; `from a import b` gives `a` and `a.b`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


@cache
def _library(module: str) -> str:
    if module in sys.stdlib_module_names or module == "cvpipe":
        return ""
    for distribution in DISTRIBUTIONS.get(module, (module,)):
        try:
            return f"{distribution} {version(distribution)}"
        except PackageNotFoundError:
            continue
    return ""
