"""Who takes part, and whether they can be compared: the same images, splits, seeds and metrics for all."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cvpipe.comparison.suite import Asked
from cvpipe.conductor.metrics import SCORES, scores_among
from cvpipe.errors import Problem, SpecError, did_you_mean, listed
from cvpipe.spec import Spec, load_spec
from cvpipe.wording import shown

WAYS_OUT = {
    "data": "--data NAME gives all the same",
    "split": "--set 'split={kfold: 5}' gives all the same",
    "seed": "--seed N gives all the same",
    "metrics": "--metric NAME gives all the same",
    "on_bad_image": "--set on_bad_image=skip gives all the same",
}
"""What must be equal, and what to do about it."""


@dataclass(frozen=True)
class Entrant:
    """A spec that takes part."""

    spec: Spec

    @property
    def name(self) -> str:
        """What it is called in the comparison, and its folder."""
        return self.spec.name

    @property
    def metric(self) -> str:
        """The metric that pipelines are compared by: the first that is one number."""
        return scores_among(self.spec.metrics)[0]


def enter(
    asked: Sequence[Asked],
    *,
    overrides: Iterable[str] = (),
    data: Any = None,
    seed: int | None = None,
    metrics: Sequence[str] = (),
    repeats: int | None = None,
) -> list[Entrant]:
    """The specs that were asked for, changed alike and checked. Raises `SpecError` with all problems, also where they
    cannot be compared."""
    if isinstance(overrides, str):
        raise SpecError(f"overrides are a list, also of one: [{overrides!r}]")
    problems = list(_unknown_metrics(metrics))
    overrides, entrants = list(overrides), []
    for one in asked:
        try:
            spec = _loaded(one, overrides, data, seed)
            spec = replace(spec, name=one.name or spec.name, metrics=list(metrics or spec.metrics))
            entrants.append(Entrant(_repeated(spec, repeats)))
        except SpecError as error:
            problems += error.problems
    if not problems:
        problems += map(Problem, (*_too_few(entrants), *_same_names(entrants), *_differences(entrants)))
    if problems:
        raise SpecError(dict.fromkeys(problems))  # what is wrong for each spec is said once
    return entrants


def _loaded(asked: Asked, overrides: list[str], data: Any, seed: int | None) -> Spec:
    for text in overrides:
        key = text.partition("=")[0].strip()
        for axis in asked.axes:
            if f"{key}.".startswith(f"{axis}.") or f"{axis}.".startswith(f"{key}."):
                raise SpecError(f"a matrix varies '{axis}'; leave one out", where=f"--set {text}")
    if not isinstance(asked.spec, Spec):
        return load_spec(asked.spec, overrides, data, seed, asked.changes)
    if overrides or data is not None or seed is not None or asked.changes:
        raise SpecError("a `Spec` is complete: give `load_spec` what is to be overridden")
    return asked.spec


def _unknown_metrics(metrics: Sequence[str]) -> Iterator[Problem]:
    for word in metrics:
        if word not in SCORES:
            said = (
                f"pipelines are compared by one of {listed(SCORES)}, got '{word}'{did_you_mean(word, SCORES)}"
            )
            yield Problem(said, f"--metric {word}")


def _repeated(spec: Spec, repeats: int | None) -> Spec:
    if repeats is None:
        return spec
    if "repeats" not in spec.split.parameters():
        said = f"split '{spec.split.name}' of spec '{spec.name}' is one that cannot be drawn again"
        raise SpecError(said, where=f"--repeats {repeats}")
    return replace(spec, split=with_options(spec.split, repeats=repeats))


def with_options(split: Any, **options: Any) -> Any:
    """A copy of a split with other options."""
    changed = copy.copy(split)
    changed.set_params(**options)
    return changed


def _too_few(entrants: Sequence[Entrant]) -> Iterator[str]:
    if len(entrants) == 1:
        alone = f"'{entrants[0].name}' alone cannot be compared"
        yield f"{alone}: name a second spec, or a suite; `cvpipe run` runs a single one"
    if not entrants:
        yield "nothing to compare: name two specs or more, or a suite"


def _same_names(entrants: Sequence[Entrant]) -> Iterator[str]:
    names = [entrant.name for entrant in entrants]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            times = f"{names.count(name)} candidates are called '{name}', and a name is a folder"
            yield f"{times}; give each a `name` of its own in its spec or in a suite"


def _differences(entrants: Sequence[Entrant]) -> Iterator[str]:
    """Where a spec is not about the same as the first one."""
    resolved = [entrant.spec.resolved() for entrant in entrants]
    for section, way_out in WAYS_OUT.items():
        for entrant, spec in zip(entrants[1:], resolved[1:], strict=True):
            if spec[section] != resolved[0][section]:
                got, want = map(shown, _told_apart(spec[section], resolved[0][section]))
                said = f"'{entrant.name}' cannot be compared with '{entrants[0].name}'"
                yield f"{said}: {section} {got}, not {want}; {way_out}"


def _told_apart(one: Any, other: Any) -> tuple[Any, Any]:
    """Two values without what is equal in them; the words of data sets stay."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one, other
    if len(one) == 1 and list(one) == list(other):
        word = next(iter(one))
        inner = _told_apart(one[word], other[word])
        return {word: inner[0]}, {word: inner[1]}
    same = {key for key in one if key in other and one[key] == other[key]}
    return {k: v for k, v in one.items() if k not in same}, {k: v for k, v in other.items() if k not in same}
