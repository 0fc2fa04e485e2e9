"""Reading a spec: find, parse, override, check; every problem that is found is told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cvpipe.errors import CvpipeError, Problem, SpecError, did_you_mean, listed
from cvpipe.options import POLICIES
from cvpipe.spec.find import read_spec
from cvpipe.spec.model import DEFAULTS, KEYS, Spec
from cvpipe.spec.nodes import Node, parse, to_node
from cvpipe.spec.overrides import data_node, override, put
from cvpipe.spec.sections import data_of, metrics_of, name_of, one_of, seed_of, split_of, stages_of
from cvpipe.wording import shown

if TYPE_CHECKING:
    from cvpipe.splits.kinds import Split


def load_spec(
    path_or_name: str | Path | Mapping[str, Any] | Node,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    seed: int | None = None,
    changes: Mapping[str, Node] | None = None,
) -> Spec:
    """The checked spec in a file, under a shipped name, in a mapping, or in a node of another file.

    `overrides` are `KEY=YAML` such as `bag_of_words.words=1000`; `data` is the name of a data set, a folder
    or a .csv file; `changes` are nodes of another file by such a KEY, put in before everything else. Relative paths
    start at the working folder. Raises `SpecError` with all problems, each with its file, line and column.
    """
    if isinstance(overrides, str):
        raise SpecError(f"overrides are a list, also of one: [{overrides!r}]")
    _known_or_raise(path_or_name, data)
    if isinstance(path_or_name, Node):
        node, stem = deepcopy(path_or_name), "spec"
        called = f"the spec at {node.where}"
    elif isinstance(path_or_name, Mapping):
        node, stem = to_node(dict(path_or_name), "spec"), "spec"
        called = f"spec '{path_or_name['name']}'" if "name" in path_or_name else "this spec"
    else:
        text, called, stem = read_spec(path_or_name)
        node = parse(text, called)
    _mapping_or_raise(node, called)
    problems = _changed(node, called, overrides, data, seed, changes or {})
    return _spec(node, stem, problems)


def parse_split(text: str, where: str) -> Split:
    """A split from YAML such as `{kfold: 5}`; `where` is what messages call it. Raises `SpecError`."""
    problems: list[Problem] = []
    split = split_of(parse(text, where), problems)
    if problems:
        raise SpecError(problems)
    return cast("Split", split)


def _known_or_raise(spec: Any, data: Any) -> None:
    """Raise `SpecError` for what a spec and its data cannot be, such as objects that are used otherwise."""
    problems = []
    if not isinstance(spec, Mapping | Node | str | Path):
        way = ": call its own run(dataset, split=…)" if hasattr(spec, "predictions") else f": {shown(spec)}"
        problems.append(f"a spec is a path, a shipped name or a mapping, got a {type(spec).__name__}{way}")
    if not isinstance(data, str | Path | None):
        problems.append(
            f"data is the name of a data set, a folder or a .csv file, got a {type(data).__name__}: "
            "a data set in memory is given to a pipeline, `Pipeline.from_yaml(spec).run(dataset, split=…)`"
        )
    if problems:
        raise SpecError(problems)


def _mapping_or_raise(node: Node, called: str) -> None:
    if node.value is None:
        raise SpecError("the spec is empty; `cvpipe init` writes one to start from", node.where)
    if not node.is_map:
        kind = "a list" if isinstance(node.value, list) else shown(node.plain())
        raise SpecError(f"a spec is a mapping with the keys {listed(KEYS, 'and')}, got {kind}", node.where)
    if "specs" in node.value and "stages" not in node.value:
        raise SpecError(f"is a suite; `cvpipe compare {called}` runs it", where=called)
    if not any(key in KEYS or did_you_mean(key, KEYS) for key in node.value):
        # Some other file: one line about it, not one for each of its keys.
        raise SpecError(f"this is no spec: it has none of the keys {listed(KEYS, 'and')}", node.where)


def _changed(
    node: Node,
    called: str,
    overrides: Iterable[str],
    data: str | Path | None,
    seed: int | None,
    given: Mapping[str, Node],
) -> list[Problem]:
    changes: list[Callable[[], None]] = [partial(override, node, text, KEYS, called) for text in overrides]
    if data is not None:
        # First, so that `--set data.option=…` is about the data set that was asked for.
        changes.insert(0, lambda: node.put("data", data_node(str(data)), f"--data {data}"))
    changes[:0] = [
        partial(put, node, key, deepcopy(value), KEYS, value.where, called) for key, value in given.items()
    ]
    if seed is not None:
        changes.append(lambda: node.put("seed", to_node(seed, f"--seed {seed}"), f"--seed {seed}"))
    problems: list[Problem] = []
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
        "name": name_of(node.value.get("name"), stem, problems),
        "data": data_of(at["data"], problems) if "data" in node.value else None,
        "split": split_of(at["split"], problems),
        "seed": seed_of(at["seed"], problems),
        "stages": stages_of(at["stages"], problems) if "stages" in node.value else None,
        "metrics": metrics_of(at["metrics"], problems),
        "on_bad_image": one_of("on_bad_image", at["on_bad_image"], POLICIES, problems),
    }
    if problems:
        problems.sort(key=_place)
        raise SpecError(problems)
    return Spec(**cast(Any, values))


def _place(problem: Problem) -> tuple[int, ...]:
    """Line and column; what comes from the command line stands first."""
    return tuple(int(part) for part in problem.where.split(":")[-2:] if part.isdecimal())
