"""From nodes to stages, data sets and splits: one function builds any class with parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from cvpipe.configurable import Configurable, parts_of
from cvpipe.errors import Problem, SpecError, did_you_mean, listed
from cvpipe.help import option_defaults, option_types
from cvpipe.spec.annotations import checked, list_items, part_type
from cvpipe.spec.nodes import Node, to_node
from cvpipe.spec.words import main_value, word_and_options
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
        elif checked(hint, value)[1] is not None:
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
    named = word_and_options(node, role, problems, main)
    if named is None:
        return None
    word, where, options = named
    try:
        cls = find(word)
    except SpecError as error:
        problems += [Problem(problem.message, where) for problem in error.problems]
        return None
    return build(cls, main_value(cls, options, problems) if main else options, problems)


def _value(cls: type[Configurable], name: str, hint: Any, node: Node, problems: list[Problem]) -> Any:
    plain = node.plain()
    base = part_type(hint)
    is_word = isinstance(plain, str) and plain not in [kind.short for kind in kinds(hint) if kind.is_word]
    if base is not None and list_items(hint) is not None:
        return _parts(cls, name, hint, node, problems)
    if base is not None and (is_word or node.is_map):
        return build_named(node, base.role, _stage_that_is(base), problems)
    value, wrong = checked(hint, plain)
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


def _stage_that_is(base: type[Configurable]) -> Find:
    def find(word: str) -> type[Configurable]:
        from cvpipe.registry import stage_class

        cls = stage_class(word)
        if not issubclass(cls, base):
            raise SpecError(f"stage '{word}' is no {base.name}")
        return cls

    return find


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
