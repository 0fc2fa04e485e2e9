"""Stages that are not fitted here but come out of a saved model: what stands for them, and what takes its place."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from cvpipe.conductor.model_stages import fitted_stage
from cvpipe.configurable import Configurable, map_parts, parts_of
from cvpipe.stage import Stage, StandIn


def replaced(stages: Sequence[Stage]) -> list[Stage]:
    """The stages, with every stand-in (also among their parts) replaced by the stage it stands for.

    Raises `DataError` for a model that cannot be used or lacks the stage.
    """
    return [_each(stage, _fitted) for stage in stages]


def pinned(stages: Sequence[Stage]) -> list[Stage]:
    """The stages, with the hash of what it stands for written into every stand-in. Raises as `replaced`."""
    return [_each(stage, _with_content) for stage in stages]


def _fitted(thing: StandIn) -> Stage:
    return fitted_stage(thing.model, thing.stage, thing.content)


def _with_content(thing: StandIn) -> Stage:
    filled = copy.copy(thing)
    filled.content = _fitted(thing).sealed
    return filled


def _each(thing: Any, change: Callable[[StandIn], Stage]) -> Any:
    """`change` of a stand-in; a copy of anything else in which the parts have been changed."""
    if isinstance(thing, StandIn):
        return change(thing)
    filled = thing
    for name in thing.parameters():
        value = getattr(thing, name)
        if any(map(_has_one, parts_of(value))):
            filled = copy.copy(thing) if filled is thing else filled
            setattr(filled, name, map_parts(value, lambda part, *_: _each(part, change)))
    return filled


def _has_one(thing: Configurable) -> bool:
    """Whether something is a stand-in, or has one among its parts."""
    inner = (part for name in thing.parameters() for part in parts_of(getattr(thing, name)))
    return isinstance(thing, StandIn) or any(map(_has_one, inner))
