"""From nodes to stages, data sets and splits: one function builds any class with parameters."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from cvpipe.configurable import Configurable, parts_of
from cvpipe.errors import Problem, SpecError, did_you_mean, listed
from cvpipe.help import option_defaults, option_types
from cvpipe.spec.nodes import Node, to_node
from cvpipe.stage import Stage
from cvpipe.wording import kinds, nearest, shown, type_phrase

C = TypeVar("C", bound=Configurable)
Find = Callable[[str], type[Configurable]]


def build_stage(word: str, options: Mapping[str, Any] | None = None) -> Stage:
    """The stage that a word stands for, with checked options. Raises `SpecError` with all problems."""
    from cvpipe.registry import stage_class

    problems: list[Problem] = []
    made = build(stage_class(word), to_node(dict(options or {}), ""), problems)
    if made is None or problems:
        raise SpecError(problems)
    return made


def option_problems(thing: Configurable) -> list[str]:
    """What is wrong with the parameters of an object that was made in Python; parts are checked too."""
    found = []
    for name, hint in option_types(type(thing)).items():
        value = getattr(thing, name)
        base, parts = part_type(hint), list(parts_of(value))
        if parts and base and all(isinstance(part, base) for part in parts):
            found += [problem for part in parts for problem in option_problems(part)]
        elif _checked(hint, value)[1] is not None:
            found.append(_wrong(thing, name, hint, value))
    return found or list(thing.conflicts())


def build(cls: type[C], options: Node, problems: list[Problem]) -> C | None:
    """An object of `cls` with the options of a mapping node; None if there are problems."""
    if not options.is_map:
        word = f"the options of {cls.role} '{cls.name}' must be a mapping of names to values"
        problems.append(Problem(f"{word}, got {shown(options.plain())}", options.where))
        return None
    before, hints, values = len(problems), option_types(cls), {}
    for name, node in options.value.items():
        if name in hints:
            values[name] = _value(cls, name, hints[name], node, problems)
        else:
            problems.append(Problem(_unknown(cls, name), options.keys[name]))
    for name, default in option_defaults(cls).items():
        if default is dataclasses.MISSING and name not in values:
            must = f"it must be {type_phrase(hints[name])}"
            problems.append(Problem(f"{_option(cls, name)} is missing: {must}", options.where))
    if len(problems) > before:
        return None
    made = cls(**values)
    problems += [Problem(message, options.where) for message in made.conflicts()]
    return made if len(problems) == before else None


def build_named(node: Node, role: str, find: Find, problems: list[Problem], main: bool = False) -> Any:
    """An object from `word`, `{word: {options}}` or `{use: word, option: …}`; `find` gives a word's class.

    With `main` also from `{word: value of the first parameter, option: …}`.
    """
    named = _word_and_options(node, role, problems, main)
    if named is None:
        return None
    word, where, options = named
    try:
        cls = find(word)
    except SpecError as error:
        problems += [Problem(problem.message, where) for problem in error.problems]
        return None
    return build(cls, _main_value(cls, options, problems) if main else options, problems)


def part_type(hint: Any) -> type[Configurable] | None:
    """The class of the stages that may be the value of a parameter, or in its lists; None if it takes no stage."""
    if get_origin(hint) is Annotated:
        return part_type(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType, tuple, list):
        return next(filter(None, map(part_type, get_args(hint))), None)
    return hint if isinstance(hint, type) and issubclass(hint, Configurable) else None


def _value(cls: type[Configurable], name: str, hint: Any, node: Node, problems: list[Problem]) -> Any:
    plain = node.plain()
    base = part_type(hint)
    is_word = isinstance(plain, str) and plain not in [kind.short for kind in kinds(hint) if kind.is_word]
    if base is not None and list_items(hint) is not None:
        return _parts(cls, name, hint, node, problems)
    if base is not None and (is_word or node.is_map):
        return build_named(node, base.role, _stage_that_is(base), problems)
    value, wrong = _checked(hint, plain)
    if wrong is None:
        return value
    problems.append(Problem(_wrong(cls, name, hint, plain), node.at(wrong).where))
    return None


def _parts(cls: type[Configurable], name: str, hint: Any, node: Node, problems: list[Problem]) -> Any:
    """A list of stages, or of lists of stages, as the annotation nests them."""
    inner = list_items(hint)
    if not isinstance(node.value, list) or not node.value:
        problems.append(Problem(_wrong(cls, name, hint, node.plain()), node.where))
        return None
    return tuple(_value(cls, name, inner, item, problems) for item in node.value)


def list_items(hint: Any) -> Any:
    """The annotation of the items of a list; None for what is no list."""
    if get_origin(hint) is Annotated:
        return list_items(get_args(hint)[0])
    return get_args(hint)[0] if get_origin(hint) in (tuple, list) else None


def _stage_that_is(base: type[Configurable]) -> Find:
    def find(word: str) -> type[Configurable]:
        from cvpipe.registry import stage_class

        cls = stage_class(word)
        if not issubclass(cls, base):
            raise SpecError(f"stage '{word}' is no {base.name}")
        return cls

    return find


def _checked(hint: Any, value: Any) -> tuple[Any, tuple[int | str, ...] | None]:
    """The value as the annotation wants it and None, or the place of what is wrong in it.

    The check is strict, in the mode for JSON: no text becomes a number, but a list may become a tuple and
    text a path.
    """
    from pydantic import ConfigDict, TypeAdapter, ValidationError

    if isinstance(value, Configurable):
        return None, ()
    try:
        if value != value:  # NaN is no value for any option
            return None, ()
        adapter: TypeAdapter[Any] = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
        return adapter.validate_json(json.dumps(value, default=_as_json), strict=True), None
    except ValidationError as error:
        return None, error.errors()[0]["loc"]


def _as_json(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _wrong(cls: type[Configurable] | Configurable, name: str, hint: Any, value: Any) -> str:
    return f"{_option(cls, name)} must be {type_phrase(hint)}, got {shown(value)}{nearest(hint, value)}"


def _option(cls: type[Configurable] | Configurable, name: str) -> str:
    return f"{cls.role} '{name}'" if name == cls.name else f"option '{name}' of {cls.role} '{cls.name}'"


def _unknown(cls: type[Configurable], name: str) -> str:
    said = f"unknown option '{name}' of {cls.role} '{cls.name}'"
    allowed = cls.parameters()
    if not allowed:
        return f"{said}: it has no options"
    return said + (did_you_mean(name, allowed) or f"; it has {listed(allowed, 'and')}")


def _word_and_options(
    node: Node, role: str, problems: list[Problem], main: bool
) -> tuple[str, str, Node] | None:
    """The word, where it stands, and its options."""
    if isinstance(node.value, str):
        return node.value, node.where, Node({}, node.where)
    if node.is_map and node.value and "use" in node.value and isinstance(node.value["use"].value, str):
        rest = Node({k: v for k, v in node.value.items() if k != "use"}, node.where, node.keys)
        return node.value["use"].value, node.value["use"].where, rest
    if node.is_map and (len(node.value) == 1 or (main and node.value)):
        word, options = next(iter(node.value.items()))
        if main:
            return word, node.keys[word], node
        return word, node.keys[word], Node({}, node.keys[word]) if options.value is None else options
    got = (
        f"the keys {listed(node.value, 'and')} (indent the options further)"
        if node.is_map and node.value
        else ""
    )
    said = f"a {role} is one word, or one word with its options, got {got or shown(node.plain())}"
    problems.append(Problem(said, node.where))
    return None


def _main_value(cls: type[Configurable], node: Node, problems: list[Problem]) -> Node:
    """Options from `{word: {options}}`, `{word: value, option: …}` or `{word: null}`."""
    if not node.is_map or cls.name not in node.value:
        return node
    head = node.value[cls.name]
    rest = Node({k: v for k, v in node.value.items() if k != cls.name}, node.where, dict(node.keys))
    if head.is_map:
        for name, value in rest.value.items():
            head.put(name, value, node.keys[name])
        return head
    if head.value is None:
        return rest
    if not cls.parameters():
        problems.append(
            Problem(f"{cls.role} '{cls.name}' takes no value, got {shown(head.plain())}", head.where)
        )
        return rest
    rest.put(cls.parameters()[0], head, node.keys[cls.name])
    return rest
