"""The ways to write a word with its options in a spec: `word`, `{word: {options}}`, `{use: word, option: …}`."""

from __future__ import annotations

from cvpipe.configurable import Configurable
from cvpipe.errors import Problem, listed
from cvpipe.spec.nodes import Node
from cvpipe.wording import shown


def word_and_options(
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


def main_value(cls: type[Configurable], node: Node, problems: list[Problem]) -> Node:
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
