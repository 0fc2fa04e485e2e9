"""What decides what a module computes: its source, the sources that it is built from, and versions of libraries."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cvpipe.conductor.loaded import execution, is_left_over, name_of_class, name_of_module, new_name

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


_codes: dict[str, tuple[list[str], dict[str, Any]]] = {}
"""What `code_of` found for a module, and the execution of each module that was looked at."""
_sources: dict[str, tuple[Any, str | None]] = {}
"""The execution of each module, and the source that it had."""


def code_of(module: str) -> list[str]:
    """What decides what a module computes: hashes of its source and of what it is built from, library versions.

    Found once, and again when one of these modules is loaded again. A module without a source file (an interactive
    session) gets a name of its own, good for this process only.
    """
    code, seen = _codes.get(module, ([], {}))
    others = [name for name, known in seen.items() if execution(name) is not known]
    if seen and not others:
        return code
    sources = closure(module)
    if sources is None:
        return [name_of_module(module)]
    code = _code(sources)
    if module not in others and any(seen[name] is not None for name in others):
        code.append(
            new_name(module)
        )  # what it is built from was loaded again, and it may hold what was there before
    _codes[module] = code, {name: execution(name) for name in sources}
    return code


def code_of_class(cls: type) -> list[str]:
    """What decides what a class computes where the source of its module does not tell it: names for this process.

    That is where there is no source, and where it or a base is left over from before its module was loaded again.
    """
    nameless = [base for base in cls.__mro__ if is_left_over(base)]
    return [name_of_class(one) for one in ([cls] if _source(cls.__module__) is None else nameless)]


def imported_by(sources: dict[str, str]) -> set[str]:
    """Every module that some sources import, by their modules; also names that may be modules or functions."""
    return {name for root, source in sources.items() for name in _imports(source, _package(root))}


def _code(sources: dict[str, str]) -> list[str]:
    hashes = [hashlib.sha256(source.encode()).hexdigest() for _, source in sorted(sources.items())]
    imported = imported_by(sources)
    return hashes + sorted(filter(None, map(_library, {name.split(".")[0] for name in imported})))


def closure(module: str) -> dict[str, str] | None:
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
            imported = _imports(source, _package(name))
            waiting += [n for n in imported if n not in found and _is_followed(n, module)]
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


def _source(module: str) -> str | None:
    """The source of a module as it was when this execution of it was first seen: an edit counts when it is loaded."""
    now = execution(module)
    if module not in _sources or _sources[module][0] is not now:
        _sources[module] = now, _read(module)
    return _sources[module][1]


def _read(module: str) -> str | None:
    try:
        if module in sys.modules:
            return inspect.getsource(sys.modules[module])
        spec = _found(module)
        return Path(spec.origin).read_text() if spec and spec.origin else None
    except (ImportError, OSError, TypeError, ValueError):
        return None


def _found(module: str) -> ModuleSpec | None:
    """Where a module is, found without importing what it is in: that may take seconds, and the name may turn out to be
    that of a function."""
    package, _, _ = module.rpartition(".")
    if not package:
        return importlib.util.find_spec(module)
    parent = _found(package)
    inside = parent.submodule_search_locations if parent else None
    return PathFinder.find_spec(module, inside) if inside else None


def _package(module: str) -> str:
    """The package from which the relative imports of a module start; empty where it is in none."""
    if module in sys.modules:
        return getattr(sys.modules[module], "__package__", None) or ""
    spec = _found(module)
    return (spec.parent if spec else None) or ""


@cache
def _imports(source: str, package: str = "") -> frozenset[str]:
    """Every module that a source in a package imports, also inside functions; `from a import b` gives `a` and `a.b`,
    `from . import b` the package and `package.b`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = (
                package.split(".")[: package.count(".") + 2 - node.level] if node.level and package else []
            )
            if origin := ".".join([*above, *([node.module] if node.module else [])]):
                found |= {origin, *(f"{origin}.{alias.name}" for alias in node.names)}
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
