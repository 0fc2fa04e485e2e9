"""Whatever a spec or a script gives as an option is taken, or refused in words: a law over all stages and data sets."""

from __future__ import annotations

import math
from dataclasses import MISSING
from typing import Any

import pytest

from cvpipe import registry
from cvpipe.configurable import Configurable
from cvpipe.errors import Problem
from cvpipe.help import option_defaults, option_types
from cvpipe.spec import option_problems
from cvpipe.spec.annotations import part_type, remember_checks
from cvpipe.spec.build import build
from cvpipe.spec.nodes import to_node

CLASSES = [
    *map(registry.stage_class, registry.stage_names()),
    *map(registry.dataset_class, registry.dataset_names()),
]
UNBOUNDED = [math.inf, math.nan]
"""No option takes one."""
VALUES: list[Any] = [
    None,
    True,
    0,
    3,
    -1,
    2.5,
    *UNBOUNDED,
    "",
    "no such word",
    [],
    [1],
    ["x"],
    [[]],
    {"x": 1},
    {"x": math.inf},
    [math.inf],
]


def required(cls: type[Configurable]) -> bool:
    return any(default is MISSING for default in option_defaults(cls).values())


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.name)
def test_text_of_a_spec(cls: type[Configurable]) -> None:
    for name in cls.parameters():
        for value in VALUES:
            problems: list[Problem] = []
            made = build(cls, to_node({name: value}, "here"), problems)
            assert (made is None) == bool(problems), (name, value)
            assert problems or value not in UNBOUNDED, (name, value)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if not required(cls)], ids=lambda cls: cls.name)
def test_values_of_an_object(cls: type[Configurable]) -> None:
    for name in cls.parameters():
        for value in [*VALUES, object(), b"x", {1, 2}, 1j]:
            thing = cls()
            setattr(thing, name, value)
            found = option_problems(thing)
            assert all(map(str.strip, found)), (name, value)
            assert found or value not in UNBOUNDED, (name, value)


def test_the_checks_of_all_classes_can_be_made_ahead() -> None:
    remember_checks()
    assert any(part_type(hint) for cls in CLASSES for hint in option_types(cls).values())
