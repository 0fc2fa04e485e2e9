"""What a comparison would cost, and what it saves that candidates share stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cvpipe.comparison.entrants import Entrant
from cvpipe.comparison.sharing import ordered, shared_with
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.plan import Plan, PlannedStage, make_plan
from cvpipe.data import Dataset


@dataclass(frozen=True)
class CandidatePlan:
    """A candidate in its turn."""

    name: str
    plan: Plan
    """As if it ran alone, with the cache as it is now."""
    shared: list[str]
    """For each stage the candidate before it that computes the same; empty where none does."""
    saved_s: float
    """What these stages, and the first look at the images, would have taken, s."""


@dataclass(frozen=True)
class SharedPlan:
    """All candidates in the order of computing."""

    candidates: list[CandidatePlan]
    train_sizes: list[int]
    """Of learning curves, which the estimates do not include."""

    @property
    def apart_s(self) -> float:
        """Seconds if each ran without the others."""
        return sum(candidate.plan.total_s for candidate in self.candidates)

    @property
    def saved_s(self) -> float:
        """How much of that is saved."""
        return sum(candidate.saved_s for candidate in self.candidates)

    def summary(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "candidates": [asdict(candidate) for candidate in self.candidates],
            "apart_s": self.apart_s,
            "saved_s": self.saved_s,
            "total_s": self.apart_s - self.saved_s,
            "train_sizes_not_included": self.train_sizes,
        }


def plan_shared(
    entrants: Sequence[Entrant], dataset: Dataset, jobs: int | None = None, train_sizes: Sequence[int] = ()
) -> SharedPlan:
    """Probe every candidate on a few images. Raises what running one would raise about its spec or the split."""
    turns = [entrants[place] for place in ordered(entrants)]
    plans = []
    for number, (entrant, shared) in enumerate(zip(turns, shared_with(turns), strict=True)):
        spec = entrant.spec
        plan = make_plan(Pipeline(spec.stages, seed=spec.seed, jobs=jobs), dataset, spec.split)
        saved = sum(_seconds(stage) for stage, other in zip(plan.stages, shared, strict=True) if other)
        look = plan.total_s - sum(map(_seconds, plan.stages))
        plans.append(CandidatePlan(entrant.name, plan, shared, saved + (look if number else 0.0)))
    return SharedPlan(plans, list(train_sizes))


def _seconds(stage: PlannedStage) -> float:
    return (stage.fit_s or 0.0) + stage.transform_s
