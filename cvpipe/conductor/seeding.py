"""Seeds of stages from the seed of a run: one rule, for the resolved spec and for the runner."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from cvpipe.configurable import Configurable, map_parts, parts_of
from cvpipe.data.seeds import derive
from cvpipe.stage import Stage

C = TypeVar("C", bound=Configurable)


def seeded(stages: Sequence[Stage], seed: int) -> list[Stage]:
    """Copies of the stages in which every `seed` that is None is one derived from the seed of the run.

    Its address is the name of the stage and, from the second stage of that name on, its position among them
    (1, 2, …). So a stage keeps its seed when others are added, and two equal stages do not draw alike. What
    was learned is kept.
    """
    seen: Counter[str] = Counter()
    filled = []
    for stage in stages:
        position = seen[stage.name]
        filled.append(with_seed(stage, seed, stage.name, *([position] if position else [])))
        seen[stage.name] += 1
    return filled


def with_seed(thing: C, seed: int, *address: str | int) -> C:
    """A copy with its own `seed` and those of its parts filled in, each with an address of its own."""
    filled = copy.copy(thing)
    for name in thing.parameters():
        value = getattr(thing, name)
        if any(parts_of(value)):
            setattr(filled, name, map_parts(value, _part_with_seed(seed, *address, name)))
        elif name == "seed" and value is None:
            filled.seed = derive(seed, *address)  # type: ignore[attr-defined]
    return filled


def _part_with_seed(seed: int, *address: str | int) -> Callable[..., Configurable]:
    return lambda part, *place: with_seed(part, seed, *address, *place, part.name)
