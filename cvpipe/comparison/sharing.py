"""What candidates have in common: the stages before they part, computed once because their keys are equal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from cvpipe.comparison.entrants import Entrant
from cvpipe.conductor import keys
from cvpipe.conductor.seeding import seeded
from cvpipe.conductor.stand_ins import replaced

SAME_IMAGES = "the same training images"
"""All candidates see the same; which ones does not matter for what they share."""


def stage_keys(entrant: Entrant) -> list[str]:
    """A key for each stage; equal ones of two candidates give equal results."""
    return keys.chain_keys(replaced(seeded(entrant.spec.stages, entrant.spec.seed)), SAME_IMAGES)


def ordered(entrants: Sequence[Entrant]) -> list[int]:
    """In which order to run: those that share stages one after the other, so that what they share is still in the
    cache; otherwise as they were asked for."""
    chains = [stage_keys(entrant) for entrant in entrants]
    first: dict[str, int] = {}
    for place, chain in enumerate(chains):
        for key in chain:
            first.setdefault(key, place)
    return sorted(range(len(chains)), key=partial(_path, chains, first))


def shared_with(entrants: Sequence[Entrant]) -> list[list[str]]:
    """For each candidate and stage the name of the candidate before it that computes the same; empty if none does."""
    first: dict[str, str] = {}
    found = []
    for entrant in entrants:
        chain = stage_keys(entrant)
        found.append([first.get(key, "") for key in chain])
        for key in chain:
            first.setdefault(key, entrant.name)
    return found


def _path(chains: Sequence[Sequence[str]], first: dict[str, int], place: int) -> list[int]:
    return [first[key] for key in chains[place]]
