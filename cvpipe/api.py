"""What the command line and scripts call: a spec in, a result and a folder out."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from cvpipe.comparison import folder as comparison_folder
from cvpipe.comparison.entrants import enter
from cvpipe.comparison.feature_rows import keep_features
from cvpipe.comparison.plan import SharedPlan, plan_shared
from cvpipe.comparison.record import write_record
from cvpipe.comparison.repeated import Repeat, compare_repeat, data_changes
from cvpipe.comparison.result import Comparison, CurvePoint
from cvpipe.comparison.run_files import RunFiles, read_run
from cvpipe.comparison.suite import Asked, is_suite, read_suite
from cvpipe.conductor import workers
from cvpipe.conductor.audit import Audit, audit
from cvpipe.conductor.chunks import linked
from cvpipe.conductor.load import load
from cvpipe.conductor.log import Logged
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.plan import Plan, make_plan
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.result import RunResult
from cvpipe.conductor.scan import fingerprint, usable
from cvpipe.conductor.smoke import smoke_test
from cvpipe.conductor.split import Split
from cvpipe.conductor.store import Nowhere
from cvpipe.data import Dataset
from cvpipe.datasets._load import load_dataset
from cvpipe.device import Device
from cvpipe.errors import DataError, RunError, SpecError
from cvpipe.report.comparison.page import write_comparison
from cvpipe.report.folder import claim, write
from cvpipe.spec import Spec, load_spec, parse_split


def run(
    spec: str | Path | Mapping[str, Any] | Spec,
    *,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    seed: int | None = None,
    out: str | Path | Literal[True] | None = None,
    jobs: int | None = None,
    device: Device = "auto",
    smoke: bool = False,
    refit: bool = False,
    cache: bool = True,
    progress: Progress | None = None,
    **options: Any,
) -> RunResult:
    """Train, time and score what a spec describes: a path, a shipped name, a mapping or a `Spec`.

    `overrides` are `["bag_of_words.words=1000"]` as on the command line; `bag_of_words__words=1000` is the same.
    With `out` the folder of the run is written (`True`: the next free `runs/<name>/<n>`), and `result.folder` is that
    folder. `smoke` takes a few images only. Raises `SpecError`, `DataError` or `RunError`.
    """
    if isinstance(spec, Spec) and (overrides or options or data is not None or seed is not None):
        raise SpecError("a `Spec` is complete: give `load_spec` what is to be overridden")
    changes = [
        *overrides,
        *(f"{key.replace('__', '.')}={json.dumps(value)}" for key, value in options.items()),
    ]
    loaded = spec if isinstance(spec, Spec) else load_spec(spec, changes, data, seed)
    dataset, split = _loaded(loaded, smoke)
    folder = claim(None if out is True else out, loaded.name) if out else None
    listener = Logged(folder / "log.txt", progress or Progress()) if folder else progress or Progress()
    listener.note(f"{loaded.name} on {dataset.name}: {len(dataset)} images, {len(dataset.classes)} classes")
    try:
        result = Pipeline(loaded.stages, seed=loaded.seed, jobs=jobs, cache=cache).run(
            dataset,
            split=split,
            metrics=loaded.metrics,
            on_bad_image=loaded.on_bad_image,
            refit=refit,
            device=device,
            name=loaded.name,
            spec=loaded.resolved(),
            progress=listener,
        )
    except Exception as error:
        if isinstance(listener, Logged):  # whoever called hears it from the exception
            with contextlib.suppress(RunError):  # the full disk may be what failed
                listener.write(f"failed: {error}")
        raise
    for warning in result.warnings:
        listener.note(f"warning: {warning}")
    if folder:
        write(result, folder)
        result.folder = folder
    return result


def plan(
    spec: str | Path | Mapping[str, Any],
    *,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    seed: int | None = None,
    jobs: int | None = None,
) -> Plan:
    """What a run would do and cost: shapes, what is cached, estimates of time, memory and disk from a few probe
    images."""
    loaded = load_spec(spec, overrides, data, seed)
    dataset, split = _loaded(loaded, smoke=False)
    return make_plan(Pipeline(loaded.stages, seed=loaded.seed, jobs=jobs), dataset, split)


def check_data(
    data: str | Path,
    *,
    split: str | None = None,
    seed: int = 0,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """What is in a data set (a name, a folder, a .csv file), and what about it would spoil a comparison.

    `split` is YAML as in a spec, `{kfold: 5}`; by default copies are looked for across the split that the data bring.
    Raises `SpecError` or `DataError`.
    """
    chosen = parse_split(split, "--split") if split else None
    try:
        dataset = load_dataset(data)
    except OSError as error:
        raise RunError(f"cannot read the data: {error.strerror}", where=str(error.filename)) from error
    return audit(dataset, chosen, seed, jobs, progress)


def verify(
    folder: str | Path,
    *,
    out: str | Path | None = None,
    jobs: int | None = None,
    device: Device | None = None,
    progress: Progress | None = None,
) -> Repeat:
    """Run again what a run's folder tells, without the cache, and compare every prediction.

    The new run is kept in `out`, or nowhere. `device` is that of the run unless given. Raises `DataError` for a
    damaged run and for data that have changed since; then nothing is run.
    """
    before = read_run(folder)
    if not before.spec:
        raise DataError("the pipeline was made in Python: there is no spec to run again", where=str(folder))
    if out and Path(out).resolve() == Path(folder).resolve():
        raise SpecError("--out is the run itself; it would be overwritten", where=str(out))
    spec = load_spec(Path(folder) / "spec.yaml")
    listener = progress or Progress()
    _same_data(before, spec, workers.count(jobs), listener)
    used = device or before.summary["environment"].get("device", "auto")
    with contextlib.ExitStack() as stack:
        place = out or stack.enter_context(tempfile.TemporaryDirectory(prefix="cvpipe-verify-"))
        run(spec, out=place, jobs=jobs, device=used, smoke=before.smoke, cache=False, progress=listener)
        return compare_repeat(before, read_run(place))


def open_model(model: str | Path) -> Pipeline:
    """The fitted pipeline in a run's folder or in the folder of a model; `imagenet` is one that is trained already.

    Raises `DataError` for a model that is damaged, and where the weights for `imagenet` are not installed.
    """
    path = Path(model)
    if str(model) != "imagenet" or path.exists():
        inside = path / "model"
        return load(inside if (inside / "model.json").is_file() else path)
    from cvpipe.stages.networks._imagenet import ImagenetClasses

    stage = ImagenetClasses()  # type: ignore[call-arg]
    problems = stage.conflicts()
    if problems:
        raise DataError(problems)
    pipeline = Pipeline([stage])
    pipeline.fitted_ = linked([stage.known()])
    return pipeline


def _same_data(before: RunFiles, spec: Spec, jobs: int, progress: Progress) -> None:
    """Raises `DataError` if the images or labels are no longer those that the run saw."""
    dataset, _ = _loaded(spec, before.smoke)
    data, scan, _ = usable(dataset, spec.on_bad_image, Nowhere(), jobs, progress)
    then, now = before.summary["data"]["fingerprint"], fingerprint(data.images, scan.tokens, data.labels)
    if now != then:
        what = data_changes(before, data.images.ids)
        raise DataError(
            f"the data have changed since: {what} (fingerprint {then}, now {now})", str(before.folder)
        )


def compare(
    specs: str | Path | Sequence[str | Path | Mapping[str, Any] | Spec],
    *,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    repeats: int | None = None,
    train_sizes: Sequence[int] = (),
    metrics: Sequence[str] = (),
    seed: int | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    device: Device = "auto",
    smoke: bool = False,
    progress: Progress | None = None,
) -> Comparison:
    """Run several specs (as for `run`), or a suite file, on the same splits of the same data, and judge what differs.

    `repeats` draws the splits so often; `train_sizes` adds learning curves; the first of `metrics` ranks. The folder is
    `out`, or `comparisons/<name>`; what is finished there is not run again. A candidate that fails is one with status
    `failed`. Raises `SpecError` for specs that cannot be compared, `DataError`, `RunError`.
    """
    from cvpipe.comparison.contest import Contest  # the statistics are no part of what a run needs

    name, asked, sizes = _asked(specs)
    entrants = enter(asked, overrides=overrides, data=data, seed=seed, metrics=metrics, repeats=repeats)
    sizes = list(train_sizes) or sizes
    folder = comparison_folder.claim(out, name or entrants[0].spec.data.name)
    comparison_folder.write_suite(folder, name or folder.name, entrants, sizes)
    contest = Contest(name or folder.name, entrants, folder, sizes, jobs, device, smoke)
    comparison = contest.hold(f"{__name__}:{run_candidate.__name__}", progress or Progress())
    write_comparison(comparison, folder)
    comparison_folder.write(comparison)
    return comparison


def plan_comparison(
    specs: str | Path | Sequence[str | Path | Mapping[str, Any] | Spec],
    *,
    overrides: Iterable[str] = (),
    data: str | Path | None = None,
    repeats: int | None = None,
    seed: int | None = None,
    jobs: int | None = None,
) -> SharedPlan:
    """What `compare` would do and cost, and what it saves that its candidates share stages."""
    entrants = enter(_asked(specs)[1], overrides=overrides, data=data, seed=seed, repeats=repeats)
    dataset, _ = _loaded(entrants[0].spec, smoke=False)
    return plan_shared(entrants, dataset, jobs)


def run_candidate(task: Mapping[str, Any], progress: Progress) -> None:
    """One candidate of a comparison, in a process of its own: a run with its folder, and what it costs."""
    options = {"jobs": task["jobs"], "device": task["device"], "progress": progress}
    result = run(task["spec"], out=task["folder"], smoke=task["smoke"], **options)
    curve = []
    for size in task["train_sizes"]:
        progress.note(f"learning from {size} images of each class")
        fewer = {**task["spec"], "split": {**task["spec"]["split"], "train_per_class": size}}
        score = run(fewer, **options).scores[next(iter(result.scores))]
        curve.append(CurvePoint(size, score.mean, score.std, score.values))
    keep_features(result)
    write_record(result, task["key"], curve)


def _asked(
    specs: str | Path | Sequence[str | Path | Mapping[str, Any] | Spec],
) -> tuple[str, list[Asked], list[int]]:
    """The name, the specs and the train sizes of a suite, or those specs."""
    given = [specs] if isinstance(specs, str | Path) else list(specs)
    if len(given) == 1 and isinstance(only := given[0], str | Path) and is_suite(only):
        suite = read_suite(only)
        return suite.name, suite.asked, suite.train_sizes
    for one in given:
        if isinstance(one, str | Path) and Path(one).is_file() and is_suite(one):
            raise SpecError("is a suite, and a suite is compared alone", where=str(one))
    return "", [Asked(one) for one in given], []


def _loaded(spec: Spec, smoke: bool) -> tuple[Dataset, Split]:
    try:
        dataset = spec.data.load()
    except OSError as error:
        raise RunError(f"cannot read the data: {error.strerror}", where=str(error.filename)) from error
    return smoke_test(dataset, spec.split, spec.seed) if smoke else (dataset, spec.split)
