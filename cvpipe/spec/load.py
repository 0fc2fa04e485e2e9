"""Reading a spec: find, parse, override, check; every problem that is found is told at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from cvpipe.datasets._source import Source
from cvpipe.errors import CvpipeError, Problem, SpecError, did_you_mean, listed
from cvpipe.spec.build import build, build_named
from cvpipe.spec.find import read_spec
from cvpipe.spec.model import METRICS, POLICIES, Spec
from cvpipe.spec.nodes import Node, parse, to_node
from cvpipe.spec.overrides import data_node, override
from cvpipe.stage import Stage
from cvpipe.wording import shown

T = TypeVar("T")

DEFAULTS: dict[str, Any] = {
    "split": {"kfold": 5},
    "seed": 0,
    "metrics": list(METRICS),
    "on_bad_image": "fail",
}
KEYS = ("name", "data", "split", "seed", "stages", "metrics", "on_bad_image")
FOLDER_NAME = re.compile(r"\w[\w.-]*")
"""A spec's name is the name of the folder that its runs are written into."""


def load_spec(
    path_or_name: str | Path | Mapping[str, Any],
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    seed: int | None = None,
) -> Spec:
    """The checked spec in a file, under a shipped name, or in a mapping.

    `overrides` are `KEY=YAML` such as `bag_of_words.words=1000`; `data` is the name of a data set, a folder or a .csv file.
    Relative paths start at the working folder. Raises `SpecError` with all problems, each with its file, line and column.
    """
    if isinstance(path_or_name, Mapping):
        node, stem = to_node(dict(path_or_name), "spec"), "spec"
    else:
        text, name, stem = read_spec(path_or_name)
        node = parse(text, name)
    _mapping_or_raise(node)
    problems = _changed(node, overrides, data, seed)
    return _spec(node, stem, problems)


def data_source(text: str) -> Source:
    """The data set that `--data` names, with its defaults. Raises `SpecError`."""
    problems: list[Problem] = []
    source = _data(data_node(text), problems)
    if source is None:
        raise SpecError(problems)
    return source


def _mapping_or_raise(node: Node) -> None:
    if node.value is None:
        raise SpecError("the spec is empty; `cvpipe init` writes one to start from", node.where)
    if not node.is_map:
        kind = "a list" if isinstance(node.value, list) else shown(node.plain())
        raise SpecError(f"a spec is a mapping with the keys {listed(KEYS, 'and')}, got {kind}", node.where)
    if not any(key in KEYS or did_you_mean(key, KEYS) for key in node.value):
        # Some other file: one line about it, not one for each of its keys.
        raise SpecError(f"this is no spec: it has none of the keys {listed(KEYS, 'and')}", node.where)


def _changed(
    node: Node, overrides: Iterable[str], data: str | Path | None, seed: int | None
) -> list[Problem]:
    problems: list[Problem] = []
    changes = [lambda text=text: override(node, text, KEYS) for text in overrides]
    if data is not None:
        # First, so that `--set data.option=…` is about the data set that was asked for.
        changes.insert(0, lambda: node.put("data", data_node(str(data)), f"--data {data}"))
    if seed is not None:
        changes.append(lambda: node.put("seed", Node(seed, f"--seed {seed}"), f"--seed {seed}"))
    for change in changes:
        try:
            change()
        except CvpipeError as error:
            problems += error.problems
    return problems


def _spec(node: Node, stem: str, problems: list[Problem]) -> Spec:
    for key in node.value:
        if key not in KEYS:
            near = did_you_mean(key, KEYS) or f"; allowed are {listed(KEYS, 'and')}"
            problems.append(Problem(f"unknown key '{key}'{near}", node.keys[key]))
    told = {problem.where for problem in problems}
    for key in ("data", "stages"):
        if key not in node.value and not any(where.startswith(f"--{key}") for where in told):
            problems.append(Problem(f"'{key}' is missing", node.where))
    at = {key: node.value.get(key) or to_node(DEFAULTS.get(key), node.where) for key in KEYS}
    values = {
        "name": _name(node.value.get("name"), stem, problems),
        "data": _data(at["data"], problems) if "data" in node.value else None,
        "split": _split(at["split"], problems),
        "seed": _seed(at["seed"], problems),
        "stages": _stages(at["stages"], problems) if "stages" in node.value else None,
        "metrics": _metrics(at["metrics"], problems),
        "on_bad_image": _one_of("on_bad_image", at["on_bad_image"], POLICIES, problems),
    }
    if problems:
        raise SpecError(sorted(problems, key=_place))
    return Spec(**cast(Any, values))


def _place(problem: Problem) -> tuple[int, ...]:
    """Line and column; what comes from the command line stands first."""
    return tuple(int(part) for part in problem.where.split(":")[-2:] if part.isdecimal())


def _name(node: Node | None, stem: str, problems: list[Problem]) -> str:
    if node is None:
        return re.sub(r"[^\w.-]+", "_", stem).lstrip("_.-") or "spec"
    if not isinstance(node.value, str) or not FOLDER_NAME.fullmatch(node.value):
        said = (
            f"name must be letters, digits, '_', '-' or '.', for it names a folder, got {shown(node.plain())}"
        )
        problems.append(Problem(said, node.where))
    return str(node.value)


def _data(node: Node, problems: list[Problem]) -> Source | None:
    from cvpipe.registry import dataset_class

    return cast(Source | None, build_named(node, "data set", dataset_class, problems, main=True))


def _split(node: Node, problems: list[Problem]) -> Any:
    from cvpipe.run.split import SPLITS

    known = f"one of {listed(SPLITS)}, such as {{kfold: 5}}"
    if isinstance(node.value, str) and node.value in SPLITS:
        return build(SPLITS[node.value], Node({}, node.where), problems)
    if not node.is_map or not node.value:
        near = did_you_mean(node.value, SPLITS) if isinstance(node.value, str) else ""
        problems.append(Problem(f"split must be {known}, got {shown(node.plain())}{near}", node.where))
        return None
    words = [key for key in node.value if key in SPLITS]
    if len(words) == 1:
        return build(SPLITS[words[0]], node, problems)
    first = next(iter(node.value))
    said = f"both {listed(words, 'and')}" if words else f"'{first}'{did_you_mean(first, SPLITS)}"
    problems.append(Problem(f"split must be {known}, got {said}", node.keys[words[1] if words else first]))
    return None


def _seed(node: Node, problems: list[Problem]) -> Any:
    if type(node.value) is not int or node.value < 0:
        problems.append(
            Problem(f"seed must be a whole number of at least 0, got {shown(node.plain())}", node.where)
        )
    return node.value


def _stages(node: Node, problems: list[Problem]) -> list[Stage] | None:
    from cvpipe.registry import stage_class
    from cvpipe.run.edges import chain_problems

    if not isinstance(node.value, list) or not node.value:
        said = "stages must be a list of stages, the last of them a classifier"
        problems.append(Problem(f"{said}, got {shown(node.plain())}", node.where))
        return None
    stages = [build_named(item, "stage", stage_class, problems) for item in node.value]
    if any(stage is None for stage in stages):
        return None
    places = [next(iter(item.keys.values()), item.where) for item in node.value]
    problems += [Problem(message, places[index]) for index, message in chain_problems(stages)]
    return stages


def _metrics(node: Node, problems: list[Problem]) -> list[str]:
    from cvpipe.run.evaluate import METRICS as known

    if not isinstance(node.value, list) or not node.value:
        said = f"metrics must be a list of {listed(known)}, got {shown(node.plain())}"
        problems.append(Problem(said, node.where))
        return []
    return [word for item in node.value if (word := _one_of("metric", item, tuple(known), problems))]


def _one_of(what: str, node: Node, allowed: tuple[str, ...], problems: list[Problem]) -> str:
    if node.value in allowed:
        return str(node.value)
    near = did_you_mean(node.value, allowed) if isinstance(node.value, str) else ""
    said = f"{what} must be one of {listed(allowed)}, got {shown(node.plain())}{near}"
    problems.append(Problem(said, node.where))
    return ""
