"""The sections of a spec, one function each: a node in, what it stands for out; problems are appended."""

from __future__ import annotations

import re
from typing import Any, cast

from cvpipe.datasets._source import Source
from cvpipe.errors import DataError, Problem, SpecError, did_you_mean, listed
from cvpipe.spec.build import build, build_named
from cvpipe.spec.nodes import Node
from cvpipe.spec.overrides import path_kind
from cvpipe.stage import Stage
from cvpipe.wording import shown

FOLDER_NAME = re.compile(r"\w[\w.-]*")
"""A spec's name is the name of the folder that its runs are written into."""


def name_of(node: Node | None, stem: str, problems: list[Problem]) -> str:
    """The name, or the stem of the file made fit for a folder."""
    if node is None:
        return re.sub(r"[^\w.-]+", "_", stem).lstrip("_.-") or "spec"
    if not isinstance(node.value, str) or not FOLDER_NAME.fullmatch(node.value):
        said = (
            f"name must be letters, digits, '_', '-' or '.', for it names a folder, got {shown(node.plain())}"
        )
        problems.append(Problem(said, node.where))
    return str(node.value)


def data_of(node: Node, problems: list[Problem]) -> Source | None:
    """The data set; None if there is a problem with it."""
    return cast(Source | None, build_named(node, "data set", _dataset_class, problems, main=True))


def _dataset_class(word: str) -> type[Source]:
    from cvpipe.registry import dataset_class, dataset_names

    if word not in dataset_names() and (kind := path_kind(word)):
        what = "folder" if kind == "folder" else "file"
        raise SpecError(f"unknown data set '{word}': it is a {what}; write `{{{kind}: {word}}}`")
    return dataset_class(word)


def split_of(node: Node, problems: list[Problem]) -> Any:
    """The split; None if there is a problem with it."""
    from cvpipe.splits.kinds import SPLITS

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


def seed_of(node: Node, problems: list[Problem]) -> Any:
    """The seed."""
    if type(node.value) is not int or node.value < 0:
        problems.append(
            Problem(f"seed must be a whole number of at least 0, got {shown(node.plain())}", node.where)
        )
    return node.value


def stages_of(node: Node, problems: list[Problem]) -> list[Stage] | None:
    """The stages, checked to fit together; None if one of them cannot be built."""
    from cvpipe.conductor.edges import chain_problems
    from cvpipe.registry import stage_class

    if not isinstance(node.value, list) or not node.value:
        said = "stages must be a list of stages, the last of them a classifier"
        problems.append(Problem(f"{said}, got {shown(node.plain())}", node.where))
        return None
    stages = [build_named(item, "stage", stage_class, problems) for item in node.value]
    if any(stage is None for stage in stages):
        return None
    places = [next(iter(item.keys.values()), item.where) for item in node.value]
    fitted = [_replaced(stage, place, problems) for stage, place in zip(stages, places, strict=True)]
    if all(fitted):
        problems += [Problem(message, places[index]) for index, message in chain_problems(fitted)]
    return stages


def _replaced(stage: Stage, place: str, problems: list[Problem]) -> Any:
    """The stage as it will run, see `stand_ins`; None if its model cannot be used."""
    from cvpipe.conductor.stand_ins import replaced

    try:
        return replaced([stage])[0]
    except DataError as error:
        problems += [Problem(str(problem), place) for problem in error.problems]
        return None


def metrics_of(node: Node, problems: list[Problem]) -> list[str]:
    """The names of the metrics."""
    from cvpipe.conductor.evaluate import METRICS as known

    if not isinstance(node.value, list) or not node.value:
        said = f"metrics must be a list of {listed(known)}, got {shown(node.plain())}"
        problems.append(Problem(said, node.where))
        return []
    return [word for item in node.value if (word := one_of("metric", item, tuple(known), problems))]


def one_of(what: str, node: Node, allowed: tuple[str, ...], problems: list[Problem]) -> str:
    """A word that must be one of a few."""
    if node.value in allowed:
        return str(node.value)
    near = did_you_mean(node.value, allowed) if isinstance(node.value, str) else ""
    said = f"{what} must be one of {listed(allowed)}, got {shown(node.plain())}{near}"
    problems.append(Problem(said, node.where))
    return ""
