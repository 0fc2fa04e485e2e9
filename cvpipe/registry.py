"""From a word in a spec to a class: stages and data sets are found by walking their folders, nothing is listed by hand.

`stages/descriptors/root_sift.py` holds class `RootSift` and is the word `root_sift`. Installed packages add stages
through the entry-point group `cvpipe.stages` (word = class); the word is the name of the class in snake case, as it is
for stages of cvpipe, and no other stage has it. A module is imported when its word is first used.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from cvpipe.errors import SpecError, did_you_mean, listed
from cvpipe.stage import Classifier, Learner, Stage

HOUSE = Path(__file__).parent


def camel_case(name: str) -> str:
    """`root_sift` -> `RootSift`."""
    return "".join(word.capitalize() for word in name.split("_"))


@cache
def _modules(room: str) -> dict[str, str]:
    """Module path by word, for every public file below a room."""
    files = sorted((HOUSE / room).rglob("*.py"))
    public = [f for f in files if not f.stem.startswith("_")]
    return {f.stem: ".".join(("cvpipe", *f.relative_to(HOUSE).with_suffix("").parts)) for f in public}


@cache
def _plugins() -> dict[str, list[EntryPoint]]:
    """Entry points by word; several where packages want the same one."""
    points = entry_points(group="cvpipe.stages")
    return {word: [point for point in points if point.name == word] for word in points.names}


def stage_names() -> list[str]:
    """The words for all stages, sorted."""
    return sorted({*_modules("stages"), *_plugins()})


def stage_class(name: str) -> type[Stage]:
    """The stage that a word stands for. Raises `SpecError` with the nearest word, and for a plugin that is broken."""
    if name in _plugins():
        return _plugin(name, _plugins()[name])
    if name in _modules("stages"):
        module = importlib.import_module(_modules("stages")[name])
        return cast(type[Stage], getattr(module, camel_case(name)))
    raise SpecError(f"unknown stage '{name}'{did_you_mean(name, stage_names())}; `cvpipe stages` lists all")


def stage_classes() -> list[tuple[str, type[Stage]]]:
    """All words, sorted, with their stages; without plugins that are broken, of which a note on stderr tells once."""
    found = []
    for name in stage_names():
        try:
            found.append((name, stage_class(name)))
        except SpecError as error:
            _note(str(error))
    return found


@cache
def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _plugin(name: str, points: list[EntryPoint]) -> type[Stage]:
    """The stage of an entry point. Raises `SpecError` where it cannot be imported, is none, or has a wrong word."""
    packages = sorted({f"package '{point.dist.name}'" if point.dist else "a package" for point in points})
    who = f"stage '{name}' of {listed(packages, 'and')}"
    if name in _modules("stages") or len(points) > 1:
        others = "a stage of cvpipe" if name in _modules("stages") else "each other"
        raise SpecError(
            f"{who} has the same word as {others}: uninstall a package, or rename the class there"
        )
    try:
        cls: Any = points[0].load()
    except Exception as error:  # whatever the code of a stranger raises
        said = f"{type(error).__name__}: {error}"
        raise SpecError(f"{who} cannot be imported from '{points[0].value}': {said}") from error
    if not (isinstance(cls, type) and issubclass(cls, Stage)):
        raise SpecError(f"{who} is no stage: '{points[0].value}' is not derived from `cvpipe.Stage`")
    if cls.name != name:
        wanted = f'`{cls.name} = "{points[0].value}"`'
        raise SpecError(
            f"{who} is the class {cls.__name__}, whose word is '{cls.name}': it needs the entry point {wanted}"
        )
    return cls


def stage_group(name: str) -> str:
    """The folder that a stage lies in (`descriptors`, `features`, …), or `plugins`."""
    path = _modules("stages").get(name)
    return path.split(".")[-2] if path else "plugins"


def dataset_names() -> list[str]:
    """The words for all kinds of data set, sorted."""
    return sorted(_modules("datasets"))


def dataset_class(name: str) -> type[Any]:
    """The kind of data set that a word stands for. Raises `SpecError` with the nearest word."""
    if name not in _modules("datasets"):
        near = did_you_mean(name, dataset_names())
        raise SpecError(f"unknown data set '{name}'{near}; `cvpipe datasets` lists all")
    return cast(type[Any], getattr(importlib.import_module(_modules("datasets")[name]), camel_case(name)))


def kind(stage: type[Stage]) -> str:
    """`classifier`, `learner` or `map`."""
    if issubclass(stage, Classifier):
        return "classifier"
    return "learner" if issubclass(stage, Learner) else "map"
