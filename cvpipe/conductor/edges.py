"""Typed edges: do these stages fit together? Answered from annotations, before any pixel is read."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Union, get_args, get_origin

from cvpipe import registry
from cvpipe.composite import Composite
from cvpipe.configurable import parts_of
from cvpipe.data import Batch, Images
from cvpipe.errors import SpecError, listed
from cvpipe.help import hints_of, option_types
from cvpipe.stage import Classifier, Learner, Part, Stage


@dataclass(frozen=True)
class Edge:
    """What a stage takes and what it gives; `gives` is None where it gives back the type that it took."""

    takes: tuple[type, ...]
    gives: tuple[type, ...] | None

    def after(self, given: tuple[type, ...]) -> tuple[type, ...]:
        """The types that come out when one of `given` goes in."""
        return tuple(t for t in given if t in self.takes) or self.takes if self.gives is None else self.gives


def edge(stage: type[Stage]) -> Edge:
    """The edge of a stage, from the annotations of `transform` (of `predict` for a classifier).

    Raises `SpecError` where there are none.
    """
    method = stage.predict if issubclass(stage, Classifier) else stage.transform
    hints = hints_of(method)
    gives = hints.pop("return", None)
    taken = next(iter(hints.values()), None)
    if taken is None or gives is None:
        what = f"'{method.__name__}' needs annotations of the types that it takes and gives"
        raise SpecError(what, where=f"stage '{stage.name}'")
    same = isinstance(gives, TypeVar) and gives is taken
    return Edge(_types(taken), None if same else _types(gives))


def settled(stage: Stage) -> Edge:
    """The edge of a stage with its options, which may settle on one of the types that its class can give."""
    here = edge(type(stage))
    return here if stage.output_type is None else Edge(here.takes, (stage.output_type,))


def takes(stage: type[Stage]) -> tuple[type, ...]:
    """The types that a stage takes."""
    return edge(stage).takes


def gives(stage: type[Stage]) -> tuple[type, ...]:
    """The types that a stage may give."""
    return edge(stage).after(())


def reachable(stages: Sequence[Stage]) -> tuple[type, ...]:
    """The types that may come out of a chain of stages; of an empty one, `Images`."""
    given: tuple[type, ...] = (Images,)
    for stage in stages:
        given = settled(stage).after(given)
    return given


def names(kinds: Sequence[type]) -> str:
    """`Features or Descriptors`."""
    return listed([kind.__name__ for kind in kinds])


def chain_problems(stages: Sequence[Stage]) -> list[tuple[int, str]]:
    """Every place where the stages do not fit: (index of the stage, message)."""
    problems: list[tuple[int, str]] = []
    given: tuple[type, ...] = (Images,)
    for index, stage in enumerate(stages):
        here = settled(stage)
        if not set(given) & set(here.takes):
            problems.append((index, _misfit(stages, index, given, here)))
        problems += [(index, message) for message in _output_problems(stage, here.after(given))]
        problems += [(index, message) for message in _sampler_problems(stage, given, here)]
        problems += [(index, message) for message in part_problems(stage)]
        problems += [(index, message) for message in _branch_problems(stage, given)]
        if isinstance(stage, Classifier) and index < len(stages) - 1:
            after = stages[index + 1].name
            problems.append(
                (index, f"classifier '{stage.name}' ends a pipeline, but '{after}' comes after it")
            )
            return problems
        given = here.after(given)
    if not stages:
        return [(0, "a pipeline needs stages, the last of them a classifier")]
    if not isinstance(stages[-1], Classifier):
        problems.append((len(stages) - 1, _no_classifier(stages[-1], given)))
    return problems


def _branch_problems(stage: Stage, given: tuple[type, ...]) -> list[str]:
    """What is wrong with the chains of a composite on such batches: they end with what it gives."""
    found = []
    for number, chain in enumerate(stage.chains() if isinstance(stage, Composite) else ()):
        where, kinds = f"in chain {number + 1} of '{stage.name}': ", given
        for index, part in enumerate(chain):
            here = settled(part)
            if not set(kinds) & set(here.takes):
                found.append(where + _misfit(chain, index, kinds, here))
            found += [where + message for message in _output_problems(part, here.after(kinds))]
            found += [where + message for message in _sampler_problems(part, kinds, here)]
            if isinstance(part, Classifier):
                found.append(f"{where}'{part.name}' is a classifier, which only ends a pipeline")
            found += [where + message for message in [*part_problems(part), *_branch_problems(part, kinds)]]
            kinds = here.after(kinds)
        if not set(kinds) & set(gives(type(stage))):
            ends = f"gives {names(kinds)}, but a chain ends with {names(gives(type(stage)))}"
            found.append(f"{where}'{chain[-1].name}' {ends}" if chain else f"{where}it is empty")
    return found


def _output_problems(stage: Stage, given: tuple[type, ...]) -> list[str]:
    """What is wrong with what a stage gives: it is kept in the cache, where images, which are decoded on demand, and
    anything else that is no batch have no place."""
    wrong = [kind for kind in given if not (isinstance(kind, type) and issubclass(kind, Batch))]
    if not wrong:
        return []
    allowed = "Maps, Patches, Keypoints, Descriptors or Features"
    more = "; a stage that changes pixels does so where they are used" if Images in wrong else ""
    return [f"stage '{stage.name}' gives {names(wrong)}, but a stage gives {allowed}{more}"]


def _sampler_problems(stage: Stage, given: tuple[type, ...], here: Edge) -> list[str]:
    """What is wrong with the sampler of a learner on such batches: it takes what the learner takes."""
    seen = tuple(kind for kind in given if kind in here.takes)
    sampler = stage.sampler if isinstance(stage, Learner) else None
    if sampler is None or not seen or set(seen) & set(takes(type(sampler))):
        return []
    own = settled(sampler)
    others = listed(_bridges(seen, own.after(own.takes)))
    return [f"'{sampler.name}', from which stage '{stage.name}' learns, takes {names(own.takes)}, but "
            f"{names(seen)} come here; stages that fit: {others}"]  # fmt: skip


def part_problems(stage: Stage) -> list[str]:
    """What is wrong with the types of stages that are options of a stage."""
    problems = []
    for name, hint in option_types(type(stage)).items():
        marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Part)]
        for inner in parts_of(getattr(stage, name)) if marks else ():
            if isinstance(inner, Stage):
                problems += _part_misfit(f"option '{name}' of stage '{stage.name}'", inner, marks[0])
                problems += part_problems(inner)
    return problems


def _part_misfit(option: str, inner: Stage, wanted: Part) -> list[str]:
    here = settled(inner)
    given = here.after((wanted.takes,))
    if wanted.takes in here.takes and wanted.gives in given:
        return []
    makes = f"makes {names([wanted.gives])} from {names([wanted.takes])}"
    bridges = listed(_bridges((wanted.takes,), (wanted.gives,)))
    return [f"{option} {makes}, but '{inner.name}' makes {names(given)} from {names(here.takes)}; "
            f"stages that fit: {bridges}"]  # fmt: skip


def _misfit(stages: Sequence[Stage], index: int, given: tuple[type, ...], here: Edge) -> str:
    source = (
        f"'{stages[index - 1].name}' gives {names(given)}"
        if index
        else f"it comes first, where {names(given)} are"
    )
    bridges = _bridges(given, here.takes)
    makers = f". Stages that make {names(here.takes)} from {names(given)}: {', '.join(bridges)}"
    takers = [name for name, cls in registry.stage_classes() if set(given) & set(takes(cls))]
    hint = makers if bridges else f". Stages that take {names(given)}: {', '.join(takers)}"
    return f"stage {index + 1} '{stages[index].name}' takes {names(here.takes)}, but {source}{hint}"


def _no_classifier(last: Stage, given: tuple[type, ...]) -> str:
    ends = [
        n for n, c in registry.stage_classes() if issubclass(c, Classifier) and set(given) & set(takes(c))
    ]
    hint = f"; classifiers that take {names(given)}: {', '.join(ends)}" if ends else ""
    return f"the last stage '{last.name}' gives {names(given)}, but a pipeline ends with a classifier{hint}"


def _bridges(given: tuple[type, ...], wanted: tuple[type, ...]) -> list[str]:
    return [name for name, stage in registry.stage_classes()
            if set(given) & set(takes(stage)) and set(edge(stage).after(given)) & set(wanted)]  # fmt: skip


def _types(hint: Any) -> tuple[type, ...]:
    if isinstance(hint, TypeVar):
        return tuple(hint.__constraints__) or _types(hint.__bound__)
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(get_args(hint))
    return (hint,)
