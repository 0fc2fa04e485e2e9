"""What a fitted pipeline costs for one more image, measured on a few: no cache, one worker, and alike for all.

Stages that several candidates share are measured once, so that these cost the same, and nobody waits for them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from cvpipe.comparison.candidate import Costs
from cvpipe.conductor import trial
from cvpipe.conductor.features import given_to
from cvpipe.conductor.measured import StageCost
from cvpipe.conductor.result import RunResult, Worked
from cvpipe.data import Features
from cvpipe.stage import Stage

BUDGET_S = 0.1
"""How long the images of one measurement may take: a slow pipeline is timed on fewer, s."""
FEWEST, MOST = 2, 32
"""Images that are timed."""


class Speed(NamedTuple):
    """What the stages take for an image."""

    seconds: list[float]
    """By stage, by one worker."""
    dimension: int | None
    """Numbers in the vector that the classifier gets; None where it gets something else."""


def speed(stages: Sequence[Stage], given: Any) -> Speed:
    """Send a few images, or what other stages gave for them, through fitted stages: two, which tell how many more there
    is time for."""
    _timed(stages, given[:1])  # compiles
    found = _timed(stages, given[:FEWEST])
    fit = int(BUDGET_S / max(sum(found.seconds), 1e-6))
    count = min(fit, MOST, len(given))
    if count <= FEWEST:
        return found
    more = _timed(stages, given[FEWEST:count])
    share = FEWEST / count
    seconds = [share * a + (1 - share) * b for a, b in zip(found.seconds, more.seconds, strict=True)]
    return Speed(seconds, found.dimension)


def speeds(ran: Worked | RunResult, known: Mapping[str, float]) -> tuple[dict[str, float], int | None]:
    """Seconds for an image by the key of each stage of a run, and the dimension of the features. What is `known` of the
    first stages from a run that shares them is not measured again."""
    links = ran.pipeline.fitted_
    shared = 0
    while shared < len(links) - 1 and links[shared].key in known:
        shared += 1
    rows = ran.splits[0].test[:MOST]
    given = given_to(ran.pipeline, shared, ran.dataset.images, rows)
    measured = speed([link.stage for link in links[shared:]], given)
    seconds = [*(known[link.key] for link in links[:shared]), *measured.seconds]
    return {link.key: taken for link, taken in zip(links, seconds, strict=True)}, measured.dimension


def costs(result: RunResult, seconds: Iterable[float], dimension: int | None, peak_mb: float) -> Costs:
    """The costs of a run, with what `speeds` tells, and the memory that the stages took at most; of its model
    `with_model` tells when that is written."""
    stages = result.pipeline.fitted
    milliseconds = dict(zip(_top_level(stages, result.stages), (1000 * s for s in seconds), strict=True))
    return Costs(
        fit_s=_total_fit_s(result.stages, len(result.splits)),
        predict_ms_per_image=sum(milliseconds.values()),
        peak_rss_mb=peak_mb,
        dimension=dimension,
        model_mb=0.0,
        total_s=result.total_s,
        stages=[
            _stage(cost, milliseconds.get(row), len(result.splits)) for row, cost in enumerate(result.stages)
        ],
    )


def with_model(costs: Costs, folder: Path) -> Costs:
    """The costs with the size of the model in a folder."""
    return replace(
        costs, model_mb=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    )


def _timed(stages: Sequence[Stage], batch: Any) -> Speed:
    seconds, dimension = [], None
    for stage in stages:
        dimension = batch.values.shape[1] if isinstance(batch, Features) else None
        batch, each = trial.again(stage, batch)
        seconds.append(each)
    return Speed(seconds, dimension)


def _top_level(stages: Sequence[Stage], rows: Sequence[StageCost]) -> list[int]:
    """Which rows of the costs are the stages themselves, and not stages inside of them."""
    found = [row for row, cost in enumerate(rows) if "." not in cost.name]
    assert [rows[row].name for row in found] == [stage.name for stage in stages]
    return found


def _total_fit_s(rows: Sequence[StageCost], splits: int) -> float | None:
    known = [cost.fit_cost_s for cost in rows]
    return None if None in known else sum(seconds for seconds in known if seconds) / splits


def _stage(cost: StageCost, milliseconds: float | None, splits: int) -> dict[str, Any]:
    return {
        "name": cost.name,
        "fit_s": None if cost.fit_cost_s is None else cost.fit_cost_s / splits,
        "predict_ms_per_image": milliseconds,
        "peak_rss_mb": cost.peak_rss_mb,
        "output": cost.output,
        "cached": cost.cached,
    }
