"""`--set KEY=YAML`, the same given in Python, `--data` and `--seed`: changes to a spec before it is checked."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from cvpipe.conductor.keys import plain
from cvpipe.configurable import Configurable
from cvpipe.errors import Problem, SpecError, did_you_mean, listed
from cvpipe.files import user_path
from cvpipe.spec.find import near_path
from cvpipe.spec.nodes import Node, parse
from cvpipe.wording import shown

KEY = re.compile(r"(?P<word>\w+)(\[(?P<index>\d+)\])?(\.(?P<option>\w+(\.\w+)*))?")


def override(spec: Node, text: str, top: tuple[str, ...], called: str) -> None:
    """Apply one `KEY=YAML`; KEY is `seed`, `split.kfold`, `bag_of_words.words` or `bag_of_words[1].words`.

    The value replaces that node. Options are put in without a check: building the stage finds unknown ones.
    `called` is what messages call the spec. Raises `SpecError`.
    """
    where = f"--set {text}"
    key, equals, value = text.partition("=")
    if not equals or not KEY.fullmatch(key.strip()):
        raise SpecError("must be KEY=VALUE, such as bag_of_words.words=1000 or split={kfold: 5}", where)
    put(spec, key.strip(), parse(value, "", place=where), top, where, called)


def put(spec: Node, key: str, node: Node, top: tuple[str, ...], where: str, called: str) -> None:
    """Put a node where a KEY as in `override` says; `where` is the place that messages name, `called` what they call
    the spec. Raises `SpecError`."""
    match = KEY.fullmatch(key)
    if not match:
        raise SpecError(f"'{key}' names nothing in a spec; bag_of_words.words and split.kfold do", where)
    path = match["option"].split(".") if match["option"] else []
    if match["word"] in top:
        if match["index"]:
            raise SpecError(f"'{match['word']}' is no stage, and has no [{match['index']}]", where)
        _put(spec, [match["word"], *path], node, where)
        return
    stages, place = _find_stage(spec, match, top, where, called)
    _open(stages, place, match["word"])
    _put(stages.value[place], [match["word"], *path], node, where)


def option_text(key: str, value: Any, top: tuple[str, ...]) -> str:
    """An option given in Python as `KEY=YAML`; `svm=Svm(C=2)` are the options of that stage. Raises `SpecError`."""
    if isinstance(value, Configurable) and "__" not in key and key not in top:
        if value.name != key:
            raise SpecError(f"{key} takes options of stage '{key}', got {value.role} '{value.name}'")
        value = value.get_params(deep=False)
    try:
        return f"{key.replace('__', '.')}={json.dumps(value, default=plain)}"
    except TypeError as error:
        said = f"{shown(value)}, of type {type(value).__name__}, cannot be written into a spec"
        raise SpecError(said, where=key) from error


def data_node(text: str) -> Node:
    """`--data`: the name of a data set, a folder or a .csv file. A name wins; ./faces is the folder."""
    from cvpipe.registry import dataset_names

    where = f"--data {text}" if text else "--data ''"
    if text in dataset_names():
        return Node(text, where)
    path = user_path(text)
    kind = path_kind(text)
    if kind:
        return Node({kind: Node(str(path), where)}, where, {kind: where})
    allowed = "a data set (see `cvpipe datasets`), a folder of class folders or a .csv file"
    said = f"'{text}' is no .csv file" if os.path.isfile(path) else f"no data set, folder or file '{text}'"
    raise SpecError(f"{said}{near_path(path, _is_data, dataset_names())}; it must be {allowed}", where)


def shadowed(text: str) -> str:
    """A note where the name of a data set wins over a folder of that name; empty where it does not."""
    from cvpipe.registry import dataset_names

    if text not in dataset_names() or not Path(text).is_dir():
        return ""
    return f"`{text}` is a data set of cvpipe; the folder of that name is ./{text}"


def path_kind(text: str) -> str:
    """The data set that a path leads to: `folder`, `csv`, or empty for neither. No text is no path."""
    path = user_path(text)
    if text and os.path.isdir(path):  # `path.is_dir()` raises where a folder above it may not be looked into
        return "folder"
    return "csv" if os.path.isfile(path) and path.suffix.lower() == ".csv" else ""


def _is_data(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() == ".csv"


def _find_stage(
    spec: Node, key: re.Match[str], top: tuple[str, ...], where: str, called: str
) -> tuple[Node, int]:
    """The list of stages, and the place in it of the stage that a key names."""
    word, index = key["word"], key["index"]
    stages = spec.value.get("stages")
    words = [_word(node) for node in stages.value] if stages and isinstance(stages.value, list) else []
    found = [place for place, name in enumerate(words) if name == word]
    if not found:
        near = did_you_mean(word, [*filter(None, words), *top])
        has = listed(filter(None, words), "and")
        raise SpecError(Problem(f"no stage or key '{word}' in {called}{near}; its stages are {has}", where))
    if index is None and len(found) > 1:
        each = listed([f"{word}[{i}]" for i in range(len(found))])
        raise SpecError(f"stage '{word}' occurs {len(found)} times in {called}: write {each}", where)
    if int(index or 0) >= len(found):
        raise SpecError(f"stage '{word}' occurs {len(found)} times in {called}, counted from 0", where)
    assert stages is not None
    return stages, found[int(index or 0)]


def _word(node: Node) -> str | None:
    if node.is_map:
        return next(iter(node.value), None)
    return node.value if isinstance(node.value, str) else None


def _open(stages: Node, place: int, word: str) -> None:
    """Make `word` or `word: null` a mapping, so that options can be put below it."""
    node = stages.value[place]
    if not node.is_map:
        node = stages.value[place] = Node({word: Node({}, node.where)}, node.where, {word: node.where})
    elif node.value[word].value is None:
        node.value[word] = Node({}, node.where)


def _put(node: Node, path: list[str], value: Node, where: str) -> None:
    *above, last = path
    for key in above:
        child = node.value.get(key)
        if child is None or child.value is None:
            child = Node({}, where)
        elif isinstance(child.value, str):  # a word without options, such as `data: textures`
            child = Node({child.value: Node(None, child.where)}, child.where, {child.value: child.where})
        elif not child.is_map:
            raise SpecError(f"'{key}' has no options", where)
        node.put(key, child, node.keys.get(key, where))
        node = child
    node.put(last, value, where)
