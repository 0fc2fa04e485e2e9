"""One run: every split trained, timed and scored. The interface under which all pipelines meet."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.asked import checked_metrics, checked_split
from cvpipe.conductor.clock import Clock
from cvpipe.conductor.environment import environment, resolve_device
from cvpipe.conductor.evaluate import Evaluation, beside_baseline, evaluate
from cvpipe.conductor.flow import Flow
from cvpipe.conductor.heavy import first_here
from cvpipe.conductor.inputs import probe_images
from cvpipe.conductor.ledger import Ledger
from cvpipe.conductor.links import Link
from cvpipe.conductor.measured import SplitResult
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.result import RunResult, Worked
from cvpipe.conductor.scan import fingerprint, usable
from cvpipe.conductor.seeding import seeded
from cvpipe.conductor.stand_ins import replaced
from cvpipe.conductor.store import open_store
from cvpipe.data import Dataset
from cvpipe.device import Device, current, use
from cvpipe.splits.duplicates import leak_warnings
from cvpipe.splits.kinds import Fold, Split
from cvpipe.splits.listed import unused_warnings
from cvpipe.stage import Stage
from cvpipe.wording import plural

if TYPE_CHECKING:
    from cvpipe.conductor.pipeline import Pipeline

METRICS = ("accuracy", "macro_f1", "confusion")


def conduct(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    split: Split | Mapping[str, Any] | None = None,
    metrics: Sequence[str] = METRICS,
    seed: int | None = None,
    jobs: int | None = None,
    device: Device = "auto",
    on_bad_image: str = "fail",
    refit: bool = False,
    name: str = "pipeline",
    spec: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    computed: Callable[[Worked], None] | None = None,
) -> RunResult:
    """Train on one side of every split, score on the other.

    `split` is as in a spec, by default `{"kfold": 5}`. `refit` trains the returned pipeline on all images;
    otherwise it is the one of the first split. `computed` is called when the stages have done their work, before that
    is scored; its time is not the run's. Raises `SpecError`, `DataError` or `RunError`.
    """
    clock = Clock()
    chosen = checked_split(pipeline, dataset, split, seed, jobs, on_bad_image)
    metrics = checked_metrics(metrics)
    run_seed = int(pipeline.seed if seed is None else seed)
    listener = progress or Progress()
    jobs_used, used_device = workers.count(jobs or pipeline.jobs), resolve_device(device)
    with open_store(pipeline.cache) as store, use(used_device):
        data, scan, skipped = usable(dataset, on_bad_image, store, jobs_used, listener)
        folds = chosen.folds(data, run_seed, [bad["id"] for bad in skipped], scan.tokens)
        stages = replaced(seeded(pipeline.stages, run_seed))
        ledger = Ledger(stages, jobs_used, listener)
        flow = Flow(data.images, scan.tokens, store, jobs_used, ledger)
        _begin(ledger, stages, len(data), len(folds))
        with clock.stopped():
            listener.ready()
        results, fitted = _all_splits(flow, stages, data, folds)
        used_device = current()
        final = flow.fit(_copies(stages), np.arange(len(data)), data.labels) if refit else fitted
        ledger.end()
    fitted_pipeline = pipeline.fitted_with(final, run_seed, probe_images(data.images[folds[0].test]))
    if computed:
        with clock.stopped():
            computed(Worked(data, results, fitted_pipeline))
    found = evaluate(data.labels, data.groups, results, metrics, data.classes, run_seed)
    return RunResult(
        name=name,
        dataset=data,
        fingerprint=fingerprint(data.images, scan.tokens, data.labels),
        split=chosen.as_spec(),
        seed=run_seed,
        splits=results,
        stages=ledger.costs(),
        total_s=clock.seconds(),
        skipped=skipped,
        environment=environment(jobs_used, used_device),
        spec=dict(spec or {}),
        pipeline=fitted_pipeline,
        trained_on=f"all {len(data):,} images" if refit else f"split 0 ({len(folds[0].train):,} images)",
        warnings=[
            *_warnings(found, skipped, data, chosen),
            *ledger.warnings(),
            *leak_warnings(folds, scan.tokens, data.images.ids, data.labels),
        ],
        **vars(found),
    )


def _begin(ledger: Ledger, stages: Sequence[Stage], images: int, splits: int) -> None:
    """Tell the listener what comes, and what comes once only."""
    ledger.begin(images, splits)
    if first_here([type(stage) for stage in stages]):
        ledger.progress.note("kernels are compiled for this machine, once: that takes up to half a minute")


def _all_splits(
    flow: Flow, stages: list[Any], data: Dataset, folds: Sequence[Fold]
) -> tuple[list[SplitResult], list[Link]]:
    """The predictions of every split, and the fitted chain of the first."""
    results: list[SplitResult] = []
    first: list[Link] = []
    for number, fold in enumerate(folds):
        flow.ledger.progress.doing(f"split {number + 1} of {len(folds)}")
        chain = flow.fit(_copies(stages), fold.train, data.labels)
        results.append(SplitResult(fold.train, fold.test, flow.predict(chain, fold.test)))
        first = first or chain
    return results, first


def _copies(stages: Sequence[Any]) -> list[Any]:
    return [copy.deepcopy(stage) for stage in stages]  # parts of stages are fitted too


def _warnings(
    found: Evaluation, skipped: Sequence[Mapping[str, str]], data: Dataset, split: Split
) -> list[str]:
    lines = [] if found.beats_baseline else [beside_baseline(found)]
    if skipped:
        were = "was" if len(skipped) == 1 else "were"
        lines.append(f"{plural(len(skipped), 'image')} could not be decoded and {were} skipped")
    return [*lines, *data.warnings, *unused_warnings(data, split)]
