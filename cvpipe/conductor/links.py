"""A chain of stages that are ready to transform: what the conductor sends images through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cvpipe.composite import Composite
from cvpipe.stage import Classifier, Stage

Place = tuple[int, ...]
"""Where a stage stands: (2,) is the third of the pipeline, (2, 0, 1) the second in the first chain of that one."""
SAMPLER = -1
"""Ends the place of the sampler of the learner at the place before it."""


@dataclass(frozen=True)
class Link:
    """A stage that is ready to transform (fitted if it learns), and its key."""

    stage: Stage
    key: str
    place: Place
    branches: tuple[tuple[Link, ...], ...] = ()
    """The chains of a composite stage, each going on where the chain before the stage ends."""


def linked(stages: Sequence[Stage], *place: int) -> list[Link]:
    """Fitted stages as a chain without keys: nothing of it is kept in a cache."""
    return [_unkeyed(stage, (*place, position)) for position, stage in enumerate(stages)]


def _unkeyed(stage: Stage, place: Place) -> Link:
    chains = stage.fitted_chains() if isinstance(stage, Composite) else []
    branches = tuple(tuple(linked(chain, *place, number)) for number, chain in enumerate(chains))
    return Link(stage, "", place, branches)


def row_by_row(chain: Sequence[Link]) -> tuple[list[Link], list[Link]]:
    """A chain in two: the second part are the links at its end that work row by row, and are not stored."""
    end = len(chain)
    while end and chain[end - 1].stage.row_by_row and not is_stored(chain[end - 1].stage):
        end -= 1
    return list(chain[:end]), list(chain[end:])


def is_stored(stage: Stage) -> bool:
    """Whether what a stage gives is kept in the cache, chunk by chunk."""
    return stage.cached and not isinstance(stage, Classifier)
