"""What a run would do and cost, before it does it: a few probe images go through the stages, the rest is arithmetic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.conductor import trial, workers
from cvpipe.conductor.chunks import CHUNK
from cvpipe.conductor.edges import gives, names
from cvpipe.conductor.held import cached_shares, looked_at
from cvpipe.conductor.ledger import described
from cvpipe.conductor.links import is_stored
from cvpipe.conductor.scan import token_of
from cvpipe.conductor.seeding import seeded
from cvpipe.conductor.stand_ins import replaced
from cvpipe.conductor.store import Store, default_folder
from cvpipe.data import Dataset, Images
from cvpipe.errors import BadImage, DataError, Problem
from cvpipe.splits.kinds import Fold, Split
from cvpipe.splits.listed import unused_warnings
from cvpipe.stage import Classifier, Stage, learns

if TYPE_CHECKING:
    from cvpipe.conductor.pipeline import Pipeline

PROBES = 12
"""Images that are really computed."""


@dataclass
class PlannedStage:
    """One stage, with its inputs and outputs in words and its share of the cost. Times are for all splits together."""

    name: str
    takes: str
    gives: str
    cached: float
    """Share of its results that is in the cache already, in [0, 1]."""
    fit_s: float | None
    """Wall seconds; None where it cannot be tried on the probes."""
    transform_s: float
    """Wall seconds with all workers; 0 where it cannot be tried on the probes."""
    memory_mb: float
    """The larger of: what the workers hold at a time; what `fit` is given."""
    disk_mb: float
    """What it adds to the cache."""
    doubt: str = ""
    """Why it cannot be tried on the probes, in words, and whether a run may fail; empty if it can."""


@dataclass
class Plan:
    """All stages, and the sums."""

    images: int
    splits: int
    jobs: int
    stages: list[PlannedStage]
    total_s: float
    """All stages, and the first look at every image."""
    memory_mb: float
    """Peak of the process: what it holds now, plus the hungriest stage."""
    disk_mb: float
    warnings: list[str]
    """What a run would warn of, as far as it is known without running."""

    def summary(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def make_plan(pipeline: Pipeline, dataset: Dataset, split: Split) -> Plan:
    """Probe a pipeline on a data set. Writes nothing. Raises what `run` would raise about the spec or the split."""
    pipeline.check()
    jobs = workers.count(pipeline.jobs)
    tokens = [token_of(item)[0] for item in dataset.images.items]
    good = np.array([bool(token) for token in tokens], bool)
    data, found = dataset[good], [token for token in tokens if token]
    skipped = [name for name, ok in zip(dataset.images.ids, good, strict=True) if not ok]
    folds = split.folds(data, pipeline.seed, skipped, found)
    stages = replaced(seeded(pipeline.stages, pipeline.seed))
    store = Store(default_folder())
    shares = cached_shares(stages, data, found, folds, store) if pipeline.cache else [0.0] * len(stages)
    rows, look_s = _probe_rows(data)
    planned = _Probe(data, folds, jobs, rows).stages(stages, shares)
    unseen = 1 - looked_at(found, store) if pipeline.cache else 1.0
    return Plan(
        images=len(data),
        splits=len(folds),
        jobs=jobs,
        stages=planned,
        total_s=sum((stage.fit_s or 0) + stage.transform_s for stage in planned)
        + look_s * len(data) * unseen / jobs,
        memory_mb=workers.resident_mb() + max(stage.memory_mb for stage in planned),
        disk_mb=sum(stage.disk_mb for stage in planned),
        warnings=[*data.warnings, *unused_warnings(data, split)],
    )


@dataclass
class _Probe:
    """A few images on their way through the stages."""

    data: Dataset
    folds: Sequence[Fold]
    jobs: int
    rows: np.ndarray

    def stages(self, stages: Sequence[Stage], shares: Sequence[float]) -> list[PlannedStage]:
        """The costs of each stage; unknown ones from where a learner cannot learn from so few images."""
        batch: Any = self.data.images[self.rows]
        shape = " x ".join(map(str, batch[0].shape))
        words = f"Images {len(self.data)} x {shape} uint8"
        planned: list[PlannedStage] = []
        times = 1
        for stage, share in zip(stages, shares, strict=True):
            times = len(self.folds) if learns(stage) else times
            batch, cost = self._one(stage, batch, times, share)
            planned.append(replace(cost, takes=words))
            words = cost.gives
        return planned

    def _one(self, stage: Stage, batch: Any, times: int, share: float) -> tuple[Any, PlannedStage]:
        todo, n = times * (1 - share), len(self.data)
        try:
            cost, fit_mb = self._fit(stage, batch)
        except trial.Untried as doubt:
            gives_words = names(gives(type(stage)))
            return None, PlannedStage(stage.name, "", gives_words, share, None, 0.0, 0.0, 0.0, str(doubt))
        given, image = trial.transform(stage, batch)
        seen = len(self.folds[0].test) if isinstance(stage, Classifier) else n
        held, kept = (trial.bytes_of(b) / len(self.rows) for b in (batch, given))
        return given, PlannedStage(
            name=stage.name,
            takes="",
            gives=described(given[:0], n, round(trial.row_count(given) / len(self.rows) * n)),
            cached=share,
            fit_s=cost.of(todo),
            transform_s=image.of(seen * todo / self.jobs),
            memory_mb=max(fit_mb, self.jobs * CHUNK * (held + kept) / 1e6),
            disk_mb=kept * n * todo / 1e6 if is_stored(stage) else 0.0,
        )

    def _fit(self, stage: Stage, batch: Any) -> tuple[trial.Cost, float]:
        """The cost and the megabytes of one fit. Raises `Untried`, without a word where there is nothing to try on."""
        if batch is None:
            raise trial.Untried
        if not learns(stage):
            return trial.Cost(0.0, 0.0), 0.0
        labels, train = self.data.labels[self.rows], len(self.folds[0].train)
        lesson = batch if stage.sampler is None else stage.sampler.transform(batch)
        return trial.fit(stage, lesson, labels, self.data.classes, train, self.jobs)


def _probe_rows(data: Dataset) -> tuple[np.ndarray, float]:
    """A few images that can be decoded, evenly spaced over the classes, and the seconds it takes to decode one.

    Raises `DataError` if there are none.
    """
    order = np.argsort(data.labels, kind="stable")
    rows = np.sort(order[np.unique(np.linspace(0, len(order) - 1, PROBES).astype(np.int64))])
    _why_bad(data.images, rows[0])
    began = time.perf_counter()
    reasons = [_why_bad(data.images, row) for row in rows]
    seconds = (time.perf_counter() - began) / len(rows)
    good = rows[[not reason for reason in reasons]]
    if not len(good):
        raise DataError([Problem(why, data.images.ids[row]) for why, row in zip(reasons, rows, strict=True)])
    return good, seconds


def _why_bad(images: Images, row: int) -> str:
    try:
        images[row]
    except BadImage as error:
        return error.problems[0].message
    return ""
