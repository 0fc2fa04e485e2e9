"""From a word in a spec to a class: stages and data sets are found by walking their folders, nothing is listed by hand.

`stages/descriptors/root_sift.py` holds class `RootSift` and is the word `root_sift`. Installed packages add stages
through the entry-point group `cvpipe.stages` (word = class). A module is imported when its word is first used.
"""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from cvpipe.errors import SpecError, did_you_mean
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
def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="cvpipe.stages")}


def stage_names() -> list[str]:
    """The words for all stages, sorted."""
    return sorted({*_modules("stages"), *_plugins()})


def stage_class(name: str) -> type[Stage]:
    """The stage that a word stands for. Raises `SpecError` with the nearest word."""
    if name in _modules("stages"):
        module = importlib.import_module(_modules("stages")[name])
        return cast(type[Stage], getattr(module, camel_case(name)))
    if name in _plugins():
        return cast(type[Stage], _plugins()[name].load())
    raise SpecError(f"unknown stage '{name}'{did_you_mean(name, stage_names())}; `cvpipe stages` lists all")


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
