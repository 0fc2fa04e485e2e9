"""What a run would do and cost, before it does it: a few probe images go through the stages, the rest is arithmetic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.data import Batch, Dataset, Images
from cvpipe.errors import BadImage, CvpipeError, DataError, Problem
from cvpipe.run import keys, workers
from cvpipe.run.chunks import CHUNK, chunked
from cvpipe.run.ledger import described
from cvpipe.run.seeding import seeded
from cvpipe.run.split import Fold, Split
from cvpipe.run.store import Store, default_folder
from cvpipe.stage import Classifier, Learner, Stage

if TYPE_CHECKING:
    from cvpipe.run.pipeline import Pipeline

PROBES = 12
"""Images that are really computed."""
ROWS = 256
"""Rows that a learner of features is tried on: the probes, repeated."""


@dataclass
class PlannedStage:
    """One stage, with its inputs and outputs in words and its share of the cost. Times are for all splits together."""

    name: str
    takes: str
    gives: str
    cached: float
    """Share of its results that is in the cache already, in [0, 1]."""
    fit_s: float | None
    """Wall seconds; None where the probes were too few to try."""
    transform_s: float
    """Wall seconds with all workers."""
    memory_mb: float
    """The larger of: what the workers hold at a time; what `fit` is given."""
    disk_mb: float
    """What it adds to the cache."""


@dataclass
class Plan:
    """All stages, and the sums."""

    images: int
    splits: int
    jobs: int
    stages: list[PlannedStage]
    total_s: float
    memory_mb: float
    """Peak of the process: what it holds now, plus the hungriest stage."""
    disk_mb: float

    def summary(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def make_plan(pipeline: Pipeline, dataset: Dataset, split: Split) -> Plan:
    """Probe a pipeline on a data set. Raises what `run` would raise about the spec or the split."""
    pipeline.check()
    jobs = workers.count(pipeline.jobs)
    tokens = [_token(item) for item in dataset.images.items]
    good = np.array([bool(token) for token in tokens])
    data, found = dataset[good], [token for token in tokens if token]
    folds = split.folds(
        data, pipeline.seed, [i for i, ok in zip(dataset.images.ids, good, strict=True) if not ok]
    )
    stages = seeded(pipeline.stages, pipeline.seed)
    shares = _cached_shares(stages, data, found, folds, Store(default_folder()))
    planned = _probe(stages, data, folds, jobs, shares)
    return Plan(
        images=len(data),
        splits=len(folds),
        jobs=jobs,
        stages=planned,
        total_s=sum((stage.fit_s or 0) + stage.transform_s for stage in planned),
        memory_mb=workers.resident_mb() + max(stage.memory_mb for stage in planned),
        disk_mb=sum(stage.disk_mb for stage in planned),
    )


def _token(item: Any) -> str:
    try:
        return item.token()
    except BadImage:
        return ""


def _cached_shares(
    stages: Sequence[Stage], data: Dataset, tokens: list[str], folds: Sequence[Fold], store: Store
) -> list[float]:
    """For each stage the share of its chunks (of its fits, where it keeps no chunks) that the cache holds."""
    chunks = chunked(data.images, tokens, np.arange(len(data)))
    ids = data.images.ids
    shares = np.zeros((len(folds), len(stages)))
    for number, fold in enumerate(folds):
        names = keys.chain_keys(stages, keys.seen_key(ids, tokens, data.labels, fold.train))
        for position, (stage, key) in enumerate(zip(stages, names, strict=True)):
            wanted = [keys.chunk_key(key, c.images.ids, c.tokens) for c in chunks] if stage.cached else []
            if isinstance(stage, Classifier):
                wanted = [key]
            shares[number, position] = np.mean([store.has(k) for k in wanted]) if wanted else 0.0
    return shares.mean(axis=0).tolist()


def _probe(
    stages: Sequence[Stage], data: Dataset, folds: Sequence[Fold], jobs: int, shares: Sequence[float]
) -> list[PlannedStage]:
    rows = _probe_rows(data)
    batch: Any = data.images[rows]
    labels = data.labels[rows]
    per_image = _bytes(_pixels(data.images[rows[:1]]))
    planned: list[PlannedStage] = []
    times = 1
    for stage, share in zip(stages, shares, strict=True):
        takes = (
            type(batch).__name__
            if planned
            else f"Images {len(data)} x {_pixel_shape(data.images[rows[:1]])} uint8"
        )
        fit_s, fit_mb = None if isinstance(stage, Learner) else 0.0, 0.0
        if isinstance(stage, Learner):
            times = len(folds)
            fit_s, fit_mb = _fit(stage, batch, labels, len(folds[0].train))
        with workers.one_thread_each():
            began = time.perf_counter()
            batch = stage.predict(batch) if isinstance(stage, Classifier) else stage.transform(batch)
            seconds = (time.perf_counter() - began) / len(rows)
        seen = len(data) if not isinstance(stage, Classifier) else len(folds[0].test)
        before, per_image = per_image, _bytes(batch) / len(rows)
        kept = stage.cached and not isinstance(stage, Classifier)
        planned.append(
            PlannedStage(
                name=stage.name,
                takes=planned[-1].gives if planned else takes,
                gives=described(batch[:0], len(data), round(_row_count(batch) / len(rows) * len(data))),
                cached=share,
                fit_s=None if fit_s is None else fit_s * times * (1 - share),
                transform_s=seconds * seen * times / jobs * (1 - share),
                memory_mb=max(fit_mb, jobs * CHUNK * (before + per_image) / 1e6),
                disk_mb=per_image * len(data) * times * (1 - share) / 1e6 if kept else 0.0,
            )
        )
    return planned


def _fit(stage: Learner, batch: Any, labels: np.ndarray, train: int) -> tuple[float | None, float]:
    """Estimated seconds and megabytes of one fit on `train` images, from a fit on the probes."""
    rows = _row_count(batch)
    wanted = min(stage.fit_rows or rows * train / len(batch), rows * train / len(batch))
    repeats = max(1, min(train, ROWS) // len(batch)) if not batch.per_row else 1
    trial = np.tile(np.arange(len(batch)), repeats)
    try:
        began = time.perf_counter()
        stage.fit(batch[trial], labels[trial])
        seconds = time.perf_counter() - began
    except CvpipeError:
        return None, 0.0
    return seconds * wanted / (rows * repeats), _bytes(batch) * wanted / rows / 1e6 * 2


def _probe_rows(data: Dataset) -> np.ndarray:
    """A few images that can be decoded, evenly spaced over the classes. Raises `DataError` if there are none."""
    order = np.argsort(data.labels, kind="stable")
    rows = np.sort(order[np.unique(np.linspace(0, len(order) - 1, PROBES).astype(np.int64))])
    reasons = [_why_bad(data.images, row) for row in rows]
    good = rows[[not reason for reason in reasons]]
    if not len(good):
        raise DataError([Problem(why, data.images.ids[row]) for why, row in zip(reasons, rows, strict=True)])
    return good


def _why_bad(images: Images, row: int) -> str:
    try:
        images[row]
    except BadImage as error:
        return error.problems[0].message
    return ""


def _row_count(batch: Batch) -> int:
    return max(1, int(batch.counts.sum())) if batch.per_row else len(batch)


def _bytes(batch: Any) -> float:
    arrays = batch.arrays().values() if isinstance(batch, Batch) else [batch]
    return float(sum(array.nbytes for array in arrays if array.dtype.kind not in "UO"))


def _pixels(images: Images) -> np.ndarray:
    return images[0]


def _pixel_shape(images: Images) -> str:
    return " x ".join(map(str, images[0].shape))
