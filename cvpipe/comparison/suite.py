"""A suite: a file that says which specs are compared, on what, and with which options.

name: words                      # names the folder of the comparison
data: {folder: photos}           # data, split, seed, metrics and on_bad_image hold for all specs
specs:
  - lbp_svm                      # a shipped name or a path
  - {spec: sift_bow_svm, name: sift_200, set: {bag_of_words.words: 200}}
  - {spec: dense_sift_bow_svm, matrix: {bag_of_words.words: [100, 400, 1000]}}
matrix: {svm.C: [1, 10]}         # every combination, of every spec
train_sizes: [5, 10, 20]         # training images of each class, for learning curves
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cvpipe.errors import Problem, SpecError, did_you_mean, listed
from cvpipe.spec import Spec
from cvpipe.spec.find import read_spec
from cvpipe.spec.nodes import Node, parse
from cvpipe.spec.sections import name_of
from cvpipe.wording import shown

SHARED = ("data", "split", "seed", "metrics", "on_bad_image")
"""Sections of a spec that a suite may give for all."""
OWN = ("specs", "matrix", "train_sizes")
"""Keys that a spec has not."""
KEYS = ("name", *SHARED, *OWN)
ENTRY = ("spec", "name", "set", "matrix")
"""Keys of an entry of `specs` that is more than a word."""


@dataclass(frozen=True)
class Asked:
    """A spec that is to take part."""

    spec: str | Path | Mapping[str, Any] | Node | Spec
    name: str = ""
    """Empty: its own."""
    changes: Mapping[str, Node] = field(default_factory=dict)
    """By KEY as in `--set`."""
    axes: tuple[str, ...] = ()
    """Those that a matrix varies."""


@dataclass(frozen=True)
class Suite:
    """What a suite file says."""

    name: str
    asked: list[Asked]
    train_sizes: list[int]


def is_suite(path_or_name: Any) -> bool:
    """Whether a file looks like a suite and not like a spec. Raises `SpecError` if it cannot be read."""
    if not isinstance(path_or_name, str | Path):
        return False
    text, name, _ = read_spec(path_or_name)
    node = parse(text, name)
    if not node.is_map or any(key == "stages" or did_you_mean(key, ["stages"]) for key in node.value):
        return False
    return any(key in OWN or did_you_mean(key, OWN) for key in node.value)


def read_suite(path: str | Path) -> Suite:
    """The suite in a file. Raises `SpecError` with all problems of the file, each with its line and column."""
    text, name, stem = read_spec(path)
    node = parse(text, name)
    problems = list(_unknown(node, KEYS, "a suite"))
    shared = {key: node.value[key] for key in SHARED if key in node.value}
    matrix = _options_of(node, "matrix", problems)
    asked = [entry for item in _list_of(node, "specs", problems)
             for entry in _entries(item, shared, matrix, problems)]  # fmt: skip
    sizes = [size for item in _list_of(node, "train_sizes", problems, needed=False)
             if (size := _size(item, problems))]  # fmt: skip
    own_name = name_of(node.value.get("name"), stem, problems)
    if problems:
        raise SpecError(problems)
    return Suite(own_name, asked, sizes)


def _unknown(node: Node, allowed: tuple[str, ...], what: str) -> Iterator[Problem]:
    for key in node.value:
        if key not in allowed:
            near = did_you_mean(key, allowed) or f"; allowed are {listed(allowed, 'and')}"
            yield Problem(f"unknown key '{key}' of {what}{near}", node.keys[key])


def _list_of(node: Node, key: str, problems: list[Problem], needed: bool = True) -> list[Node]:
    held = node.value.get(key)
    if held is None and needed:
        problems.append(Problem(f"'{key}' is missing: a list of specs to compare", node.where))
    if held is None:
        return []
    if not isinstance(held.value, list) or not held.value:
        problems.append(Problem(f"{key} must be a list, got {shown(held.plain())}", held.where))
        return []
    return held.value


def _size(node: Node, problems: list[Problem]) -> int:
    if type(node.value) is int and node.value > 0:
        return node.value
    said = f"a train size is a whole number of at least 1, got {shown(node.plain())}"
    problems.append(Problem(said, node.where))
    return 0


def _options_of(node: Node, key: str, problems: list[Problem]) -> dict[str, Node]:
    """The nodes by option of a mapping such as `set` or `matrix`."""
    held = node.value.get(key)
    if held is None:
        return {}
    if not held.is_map:
        said = f"{key} must be a mapping such as {{bag_of_words.words: …}}, got {shown(held.plain())}"
        problems.append(Problem(said, held.where))
        return {}
    if key == "matrix":
        problems += [Problem(f"matrix needs a list of values for '{option}', got {shown(value.plain())}", value.where)
                     for option, value in held.value.items()
                     if not isinstance(value.value, list) or not value.value]  # fmt: skip
    return dict(held.value)


def _entries(
    item: Node, shared: dict[str, Node], matrix: dict[str, Node], problems: list[Problem]
) -> Iterator[Asked]:
    """An entry of `specs`, once for each combination of its matrix."""
    if isinstance(item.value, str):
        item = Node({"spec": item}, item.where, {"spec": item.where})
    spec = item.value.get("spec") if item.is_map else None
    if spec is None or not (isinstance(spec.value, str) or spec.is_map):
        said = "an entry of specs is a name, a path, or {spec: …, name: …, set: …, matrix: …}"
        problems.append(Problem(f"{said}, got {shown(item.plain())}", item.where))
        return
    problems += _unknown(item, ENTRY, "an entry of specs")
    name = name_of(item.value["name"], "", problems) if "name" in item.value else ""
    options = _options_of(item, "set", problems)
    changes = shared | options
    axes = matrix | _options_of(item, "matrix", problems)
    problems += _set_in_vain(options, axes)
    if problems:
        return
    what = spec if spec.is_map else spec.value
    stem = Path(spec.value).stem if isinstance(spec.value, str) else "spec"
    for values in itertools.product(*(axis.value for axis in axes.values())):
        point = dict(zip(axes, values, strict=True))
        suffix = "".join(f"-{word}" for word in _words(point, axes))
        yield Asked(what, (name or stem) + suffix if point else name, changes | point, tuple(axes))


def _set_in_vain(options: dict[str, Node], axes: dict[str, Node]) -> Iterator[Problem]:
    """Options of an entry that a matrix would replace, also as a part of what it replaces."""
    for option, value in options.items():
        for axis, values in axes.items():
            if f"{option}.".startswith(f"{axis}."):
                said = f"'{option}' is set here, but a matrix varies '{axis}' ({values.where}); leave one out"
                yield Problem(said, value.where)


def _words(point: dict[str, Node], axes: dict[str, Node]) -> Iterator[str]:
    """A word for each option of a combination: `words_100`; the number of the value where it is not a single one."""
    last = [key.rpartition(".")[2] for key in point]
    for key, node in point.items():
        short = key.rpartition(".")[2]
        word = short if last.count(short) == 1 else key
        value = axes[key].value.index(node) if isinstance(node.value, dict | list) else node.value
        yield re.sub(r"[^\w.]+", "_", f"{word}_{value}")
