"""Saving a fitted pipeline as a folder of data, see `model_files`. The folder appears whole or not at all."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cvpipe
from cvpipe import registry
from cvpipe.conductor import keys
from cvpipe.conductor.environment import environment
from cvpipe.conductor.model_files import FORMAT, file_name, sha256, signed, tensors
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.state import pack
from cvpipe.configurable import Configurable, parts_of
from cvpipe.data import Images
from cvpipe.errors import RunError, SpecError
from cvpipe.stage import Learner, Stage


def save(pipeline: Pipeline, folder: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a fitted pipeline. The folder appears whole or not at all; a model that was there is replaced.

    Raises `NotFitted`, `SpecError` for stages whose words stand for no stage or for another, so that the model could
    not be loaded, and `RunError` if the folder cannot be written or holds something else than a model.
    """
    stages = pipeline.fitted
    unknown = [problem for stage in stages for problem in _unregistered(stage)]
    if unknown:
        raise SpecError(unknown, where=str(folder))
    if not folder.name:
        raise RunError("a model is saved in a folder of its own, which this is not", where=str(folder))
    part = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}.part")
    try:
        part.mkdir(parents=True)
        _write(pipeline, stages, part, dict(about or {}))
        _replace(part, folder)
    except OSError as error:
        raise RunError(f"cannot save the model: {error.strerror}", where=str(folder)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _unregistered(thing: Configurable) -> list[str]:
    """Why a stage and the stages that are its options could not be found again by their words."""
    cls = type(thing)
    problems = [] if _is_registered(cls) else [_no_word_for(cls)]
    values = thing.get_params(deep=False).values()
    return problems + [said for value in values for part in parts_of(value) for said in _unregistered(part)]


def _is_registered(cls: type[Configurable]) -> bool:
    if cls.name not in registry.stage_names():
        return False
    known = registry.stage_class(cls.name)  # another object of that name where its module was loaded again
    return (known.__module__, known.__qualname__) == (cls.__module__, cls.__qualname__)


def _no_word_for(cls: type[Configurable]) -> str:
    module = "package.module" if cls.__module__ == "__main__" else cls.__module__
    known = f"stands for another class than {cls.__module__}.{cls.__qualname__}"
    wrong = known if cls.name in registry.stage_names() else "is not registered"
    return (f"the model could not be loaded again, for {cls.role} '{cls.name}' {wrong}; a package registers it with "
            f"the entry point `{cls.name} = \"{module}:{cls.__qualname__}\"` in the group `cvpipe.stages`")  # fmt: skip


def _write(pipeline: Pipeline, stages: list[Stage], part: Path, about: dict[str, Any]) -> None:
    for position, stage in enumerate(stages):
        if isinstance(stage, Learner):
            arrays, note = pack(stage.state())
            (part / file_name(position, stage)).write_bytes(tensors(arrays, note))
    probe = {f"image_{i}": image for i, image in enumerate(pipeline.probe_)}
    scores = pipeline.predictions(Images.from_arrays(pipeline.probe_)).scores
    (part / "probe.safetensors").write_bytes(tensors({**probe, "scores": scores}, {}))
    head = {
        "format": FORMAT,
        "cvpipe": cvpipe.__version__,
        "seed": pipeline.seed,
        "stages": [{"name": stage.name, "options": stage.get_params(deep=False)} for stage in stages],
        "classes": stages[-1].classes_.tolist(),  # type: ignore[attr-defined]
        "about": about,
        "environment": environment(1, "cpu"),
        "files": {file.name: sha256(file) for file in sorted(part.iterdir())},
    }
    (part / "model.json").write_text(json.dumps(signed(head), indent=1, default=keys.plain))


def _replace(part: Path, folder: Path) -> None:
    here = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    if folder.exists() and (not folder.is_dir() or (here and "model.json" not in here)):
        raise RunError("is not a model and is not empty; choose another place", where=str(folder))
    foreign = sorted(name for name in here if name != "model.json" and not name.endswith(".safetensors"))
    if foreign:
        raise RunError(
            f"holds '{foreign[0]}', which is no part of a model; choose another place", str(folder)
        )
    old = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}.old")
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
