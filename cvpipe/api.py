"""What the command line and scripts call: a spec in, a result and a folder out."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from cvpipe.audit.audit import audit
from cvpipe.audit.findings import Audit
from cvpipe.conductor.links import linked
from cvpipe.conductor.load import load
from cvpipe.conductor.log import Logged
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.plan import Plan, make_plan
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.result import RunResult, Worked
from cvpipe.conductor.smoke import smoke_test
from cvpipe.data import Dataset
from cvpipe.datasets._load import load_dataset
from cvpipe.device import Device
from cvpipe.errors import DataError, RunError, SpecError
from cvpipe.files import user_path
from cvpipe.report.folder import claim, write
from cvpipe.spec import Spec, load_spec, parse_split
from cvpipe.spec.model import KEYS
from cvpipe.spec.overrides import option_text
from cvpipe.splits.kinds import Split


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
    replace: bool = False,
    progress: Progress | None = None,
    computed: Callable[[Worked], None] | None = None,
    **options: Any,
) -> RunResult:
    """Train, time and score what a spec describes: a path, a shipped name, a mapping or a `Spec`.

    `overrides` are `["bag_of_words.words=1000"]` as on the command line; `bag_of_words__words=1000` is the same.
    With `out` the folder of the run is written (`True`: the next free `runs/<name>/<n>`), and `result.folder` is that
    folder; a finished run of another spec stays there, and is an error, unless `replace`. `smoke` takes a few images
    only, and replaces no run on all. `computed` is called when the stages have done their work, which is not scored
    yet. Raises `SpecError`, `DataError` or `RunError`.
    """
    if isinstance(spec, Spec) and (overrides or options or data is not None or seed is not None):
        raise SpecError("a `Spec` is complete: give `load_spec` what is to be overridden")
    words = [option_text(key, value, KEYS) for key, value in options.items()]
    loaded = spec if isinstance(spec, Spec) else load_spec(spec, _all_of(overrides, words), data, seed)
    dataset, split = loaded_data(loaded, smoke)
    resolved = loaded.resolved()
    place = None if out is True else out
    folder = claim(place, loaded.name, None if replace else resolved, smoke) if out else None
    listener = Logged(folder / "log.txt", progress or Progress()) if folder else progress or Progress()
    listener.note(
        f"{loaded.name} on {dataset.name}: {len(dataset):,} images, {len(dataset.classes):,} classes"
    )
    pipeline = Pipeline(loaded.stages, seed=loaded.seed, jobs=jobs, cache=cache)
    if isinstance(listener, Logged) and dataset.note:
        listener.write(dataset.note)
    with _failure_written(listener):
        result = pipeline.run(
            dataset,
            split=split,
            metrics=loaded.metrics,
            on_bad_image=loaded.on_bad_image,
            refit=refit,
            device=device,
            name=loaded.name,
            spec=resolved,
            progress=listener,
            computed=computed,
        )
    if isinstance(listener, Logged):
        for warning in result.warnings:  # whoever called finds them in the result
            listener.write(f"warning: {warning}")
    if folder:
        write(result, folder)
        result.folder = folder
    return result


def _all_of(overrides: Iterable[str], words: list[str]) -> Iterable[str]:
    """One list; what is none is for `load_spec` to refuse."""
    return overrides if isinstance(overrides, str) else [*overrides, *words]


@contextlib.contextmanager
def _failure_written(listener: Progress) -> Iterator[None]:
    """Inside, an error goes into the log of the run, if there is one; whoever called hears it from the exception."""
    try:
        yield
    except Exception as error:
        if isinstance(listener, Logged):
            with contextlib.suppress(RunError):  # the full disk may be what failed
                listener.write(f"failed: {error}")
        raise


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
    dataset, split = loaded_data(loaded, smoke=False)
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


def open_model(model: str | Path) -> Pipeline:
    """The fitted pipeline in a run's folder or in the folder of a model; `imagenet` is one that is trained already.

    Raises `DataError` for a model that is damaged, and where the weights for `imagenet` are not installed.
    """
    path = user_path(model)
    if str(model) != "imagenet" or path.exists():
        inside = path / "model"
        return load(inside if os.path.isfile(inside / "model.json") else path)
    from cvpipe.stages.networks._imagenet import ImagenetClasses

    stage = ImagenetClasses()  # type: ignore[call-arg]
    problems = stage.conflicts()
    if problems:
        raise DataError(problems)
    pipeline = Pipeline([stage])
    pipeline.fitted_ = linked([stage.known()])
    return pipeline


def loaded_data(spec: Spec, smoke: bool) -> tuple[Dataset, Split]:
    """The data and the split of a spec, or the few images of a smoke test. Raises `DataError` or `RunError`."""
    try:
        dataset = spec.data.load()
    except OSError as error:
        raise RunError(f"cannot read the data: {error.strerror}", where=str(error.filename)) from error
    return smoke_test(dataset, spec.split, spec.seed) if smoke else (dataset, spec.split)
