"""Saving a fitted pipeline as a folder of data, see `model_files`. The folder appears whole or not at all."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cvpipe
from cvpipe.conductor import keys
from cvpipe.conductor.environment import environment
from cvpipe.conductor.model_files import FORMAT, file_name, sha256, signed, tensors
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.state import pack
from cvpipe.data import Images
from cvpipe.errors import RunError
from cvpipe.stage import Learner, Stage


def save(pipeline: Pipeline, folder: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a fitted pipeline. The folder appears whole or not at all; a model that was there is replaced.

    Raises `NotFitted`, and `RunError` if the folder cannot be written or holds something else than a model.
    """
    stages = pipeline.fitted
    part = folder.with_name(f".{folder.name}-{secrets.token_hex(8)}.part")
    try:
        part.mkdir(parents=True)
        _write(pipeline, stages, part, dict(about or {}))
        _replace(part, folder)
    except OSError as error:
        raise RunError(f"cannot save the model: {error.strerror}", where=str(folder)) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


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
