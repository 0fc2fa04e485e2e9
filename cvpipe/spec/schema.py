"""A JSON schema of specs, so that an editor completes words, shows help and marks mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING
from pathlib import Path
from typing import Any

from cvpipe.configurable import Configurable
from cvpipe.help import option_comments, option_defaults, option_types
from cvpipe.options import POLICIES
from cvpipe.spec.annotations import list_items, part_type
from cvpipe.spec.model import DEFAULTS

WORD = {"$ref": "#/$defs/stage"}


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of a spec: all stages, data sets and splits with their options and help."""
    from cvpipe.conductor.evaluate import METRICS
    from cvpipe.registry import dataset_class, dataset_names, stage_classes
    from cvpipe.splits.kinds import SPLITS

    stages = [cls for _, cls in stage_classes()]
    sources = [dataset_class(name) for name in dataset_names()]
    top: dict[str, dict[str, Any]] = {
        "name": {"type": "string", "pattern": r"^\w[\w.-]*$", "description": "names the folder of the runs"},
        "data": {"oneOf": [form for source in sources for form in _data_forms(source)]},
        "split": {"oneOf": [_options(split, {split.name}) for split in SPLITS.values()]},
        "seed": {"type": "integer", "minimum": 0},
        "stages": {"type": "array", "minItems": 1, "items": WORD},
        "metrics": {"type": "array", "minItems": 1, "items": {"enum": list(METRICS)}},
        "on_bad_image": {"enum": list(POLICIES)},
    }
    for key, default in DEFAULTS.items():
        top[key]["default"] = default
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cvpipe spec",
        **_mapping(top, ["data", "stages"]),
        "$defs": {"stage": {"oneOf": [_bare(stages), *map(_with_options, stages)]}},
    }


def _bare(classes: Iterable[type[Configurable]]) -> dict[str, Any]:
    return {"enum": [cls.name for cls in classes if not _required(cls)]}


def _with_options(cls: type[Configurable]) -> dict[str, Any]:
    options: dict[str, Any] = _options(cls, set())
    if not _required(cls):
        options = {"anyOf": [options, {"type": "null"}]}
    return _mapping({cls.name: options | {"description": first_line(cls)}}, [cls.name])


def _data_forms(cls: type[Configurable]) -> list[dict[str, Any]]:
    """`word`, `{word: {options}}` and `{word: main value, option: …}`."""
    forms = [_with_options(cls)] + (
        [] if _required(cls) else [{"const": cls.name, "description": first_line(cls)}]
    )
    if cls.parameters():
        main, *others = cls.parameters()
        properties = _properties(cls)
        flat = {cls.name: properties[main]} | {name: properties[name] for name in others}
        forms.append(_mapping(flat, [cls.name, *(set(_required(cls)) - {main})]))
    return forms


def _options(cls: type[Configurable], needed: set[str]) -> dict[str, Any]:
    return _mapping(_properties(cls), sorted(needed | set(_required(cls)))) | {"description": first_line(cls)}


def _mapping(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    head = {"type": "object", "additionalProperties": False, "properties": properties}
    return head | ({"required": required} if required else {})


def _properties(cls: type[Configurable]) -> dict[str, Any]:
    defaults, comments = option_defaults(cls), option_comments(cls)
    found = {}
    for name, hint in option_types(cls).items():
        described = {"description": comments[name]} if name in comments else {}
        given = {} if defaults[name] is MISSING else {"default": _jsonable(defaults[name])}
        found[name] = _value(hint) | described | given
    return found


def _value(hint: Any) -> dict[str, Any]:
    from pydantic import TypeAdapter

    if part_type(hint) is None:
        return dict(TypeAdapter(hint).json_schema())
    inner = list_items(hint)
    return dict(WORD) if inner is None else {"type": "array", "minItems": 1, "items": _value(inner)}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Configurable):
        return value.name
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _required(cls: type[Configurable]) -> list[str]:
    return [name for name, default in option_defaults(cls).items() if default is MISSING]


def first_line(cls: type) -> str:
    """The first line of a docstring."""
    return (cls.__doc__ or "").strip().split("\n")[0]
