"""YAML to nodes that know where they stand, so that every message can name a line and a column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cvpipe.errors import Problem, SpecError

MOST_NODES = 10_000
"""Nodes in one spec; more come only from aliases that multiply each other."""
DEEPEST = 50
"""Levels of one spec."""


@dataclass
class Node:
    """A value in a spec: a scalar, a list of nodes, or nodes by key."""

    value: Any
    where: str
    """`file:line:column` of its first character, or the override that it comes from."""
    keys: dict[str, str] = field(default_factory=dict)
    """Where each key of a mapping stands."""

    @property
    def is_map(self) -> bool:
        return isinstance(self.value, dict)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value

    def put(self, key: str, node: Node, where: str) -> None:
        """Set or replace a key of a mapping."""
        self.value[key] = node
        self.keys[key] = where

    def at(self, path: tuple[Any, ...]) -> Node:
        """The deepest node on a path of keys and positions; stops where the path leaves the tree."""
        if not path or not isinstance(self.value, dict | list):
            return self
        try:
            return self.value[path[0]].at(path[1:])
        except (KeyError, IndexError, TypeError):
            return self


def to_node(value: Any, where: str) -> Node:
    """A plain value as nodes that all stand in one place; numbers and arrays of NumPy are plain too."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, dict):
        return Node(
            {str(k): to_node(v, where) for k, v in value.items()},
            where,
            dict.fromkeys(map(str, value), where),
        )
    return Node([to_node(item, where) for item in value] if isinstance(value, list | tuple) else value, where)


def parse(text: str, name: str, *, place: str = "") -> Node:
    """The nodes of a YAML 1.2 document; an empty one gives a node with the value None.

    `name` stands before line and column; with `place` that is every node's place instead. Raises `SpecError`
    for a syntax error (the parser stops at the first) or for all duplicate keys.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = _Reader(name, place)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
        node = Node(None, place or f"{name}:1:1") if root is None else reader.read(root, ())
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, [error.context, error.problem])) or "cannot be read"
        raise SpecError(f"YAML syntax: {_one_line(said)}", where=reader.place(mark)) from None
    except (YAMLError, ValueError) as error:
        raise SpecError(f"YAML syntax: {_one_line(str(error))}", where=place or name) from None
    except RecursionError:
        raise SpecError("nested too deeply", where=place or name) from None
    if reader.problems:
        raise SpecError(reader.problems)
    return node


def _one_line(text: str) -> str:
    return " ".join(text.split())


class _Reader:
    """Turns the nodes of the YAML library into ours, and counts them."""

    def __init__(self, name: str, fixed: str) -> None:
        from ruamel.yaml import YAML

        self.name, self.fixed = name, fixed
        self.problems: list[Problem] = []
        self.count = 0
        self.scalars = YAML(typ="safe", pure=True).constructor

    def place(self, mark: Any) -> str:
        """Where a mark of the library is, counted from 1."""
        return self.fixed or (f"{self.name}:{mark.line + 1}:{mark.column + 1}" if mark else self.name)

    def read(self, node: Any, above: tuple[int, ...]) -> Node:
        self.count += 1
        if self.count > MOST_NODES or id(node) in above or len(above) > DEEPEST:
            raise SpecError("aliases that repeat or contain themselves", where=self.place(node.start_mark))
        above = (*above, id(node))
        if node.id == "mapping":
            return self._mapping(node, above)
        if node.id == "sequence":
            return Node([self.read(item, above) for item in node.value], self.place(node.start_mark))
        return Node(self._scalar(node), self.place(node.start_mark))

    def _mapping(self, node: Any, above: tuple[int, ...]) -> Node:
        made = Node({}, self.place(node.start_mark))
        for key, value in self._pairs(node):
            where = self.place(key.start_mark)
            if key.value in made.value:
                first = "" if self.fixed else f" (first in line {made.keys[key.value].split(':')[-2]})"
                self.problems.append(Problem(f"key '{key.value}' stands twice{first}", where))
            else:
                made.put(key.value, self.read(value, above), where)
        return made

    def _pairs(self, node: Any) -> Iterator[tuple[Any, Any]]:
        for key, value in node.value:
            if key.id != "scalar":
                self.problems.append(Problem("a key must be a word", self.place(key.start_mark)))
            else:
                yield key, value

    def _scalar(self, node: Any) -> Any:
        kind = str(node.tag or "").removeprefix("tag:yaml.org,2002:")
        if kind in ("null", "bool", "int", "float"):
            return self.scalars.construct_object(node, deep=True)
        if kind not in ("str", "timestamp"):  # a date is text here
            self.problems.append(Problem(f"unknown tag '{node.tag}'", self.place(node.start_mark)))
        return node.value
