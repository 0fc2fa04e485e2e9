"""A fitted pipeline as a folder of data: JSON and safetensors, nothing that could run.

    model.json                    the stages with their options, what they were trained on, SHA-256 of every other file
    00_sift.safetensors …         what each learner learned
    probe.safetensors             small images and the scores they got

`load` checks every hash, refuses files it does not know, and runs the probe: a model that was cut short or altered,
or that this machine's libraries would use differently, is refused instead of trusted.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import cvpipe
from cvpipe import registry
from cvpipe.conductor import keys
from cvpipe.conductor.chunks import Link
from cvpipe.conductor.environment import environment
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.state import pack, unpack
from cvpipe.data import Images
from cvpipe.errors import CvpipeError, DataError, RunError
from cvpipe.stage import Learner, Stage

FORMAT = 1
"""Version of the layout; another one is refused."""

PROBE_TOLERANCE = 1e-3
"""How far scores may differ from the saved ones, relative to the largest: float32 sums in another order give about
1e-5."""


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


def load(folder: str | Path, probe: bool = True) -> Pipeline:
    """The fitted pipeline in a folder, checked. Nothing from the folder is executed.

    `probe=False` skips the comparison of predictions. Raises `DataError` for a model that is damaged or altered.
    """
    path = Path(folder)
    head = _read_head(path)
    try:
        _check_files(path, head["files"])
        pipeline, scores = _restored(head, path)
        if probe:
            _compare(pipeline, scores, head, path)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"cannot read the model: {error.strerror}", where=str(path)) from error
    except Exception as error:  # hashes that fit tell that it is whole, not that it makes sense
        said = str(error) if isinstance(error, CvpipeError) else f"{type(error).__name__}: {error}"
        raise DataError(f"the model cannot be used: {said}", where=str(path)) from error
    return pipeline


def _restored(head: Mapping[str, Any], path: Path) -> tuple[Pipeline, np.ndarray]:
    """The pipeline, and the scores its probe had when it was saved."""
    stages = [_build(entry) for entry in head["stages"]]
    for position, stage in enumerate(stages):
        if isinstance(stage, Learner):
            stage.restore(unpack(*_read_arrays(path / _file_name(position, stage))))
    pipeline = Pipeline(stages, seed=head["seed"])
    pipeline.fitted_ = [Link(stage, "") for stage in stages]
    pipeline.about_ = head["about"]
    probe, _ = _read_arrays(path / "probe.safetensors")
    pipeline.probe_ = [probe[f"image_{i}"] for i in range(len(probe) - 1)]
    return pipeline, probe["scores"]


def _write(pipeline: Pipeline, stages: list[Stage], part: Path, about: dict[str, Any]) -> None:
    for position, stage in enumerate(stages):
        if isinstance(stage, Learner):
            arrays, note = pack(stage.state())
            (part / _file_name(position, stage)).write_bytes(_tensors(arrays, note))
    probe = {f"image_{i}": image for i, image in enumerate(pipeline.probe_)}
    scores = pipeline.predictions(Images.from_arrays(pipeline.probe_)).scores
    (part / "probe.safetensors").write_bytes(_tensors({**probe, "scores": scores}, {}))
    head = {
        "format": FORMAT,
        "cvpipe": cvpipe.__version__,
        "seed": pipeline.seed,
        "stages": [{"name": stage.name, "options": stage.get_params(deep=False)} for stage in stages],
        "classes": stages[-1].classes_.tolist(),  # type: ignore[attr-defined]
        "about": about,
        "environment": environment(1, "cpu"),
        "files": {file.name: _sha256(file) for file in sorted(part.iterdir())},
    }
    (part / "model.json").write_text(json.dumps(_signed(head), indent=1, default=keys.plain))


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


def _read_head(path: Path) -> dict[str, Any]:
    try:
        head = json.loads((path / "model.json").read_bytes())
        signed = head == _signed({name: value for name, value in head.items() if name != "digest"})
    except FileNotFoundError as error:
        raise DataError("no model here: model.json is missing", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot read the model: {error.strerror}", where=str(path)) from error
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DataError("model.json is damaged: it is no complete JSON object", where=str(path)) from error
    if head.get("format") != FORMAT:
        got = f"format {head.get('format')} of cvpipe {head.get('cvpipe')}"
        raise DataError(f"the model has {got}; this cvpipe reads format {FORMAT}", where=str(path))
    if not signed:
        raise DataError("model.json was altered: its own hash does not fit", where=str(path))
    return head


def _check_files(path: Path, files: Mapping[str, str]) -> None:
    here = {file.name for file in path.iterdir() if not file.name.startswith(".")} - {"model.json"}
    problems = [f"'{name}' does not belong to the model, which is JSON and safetensors only"
                for name in sorted(here - set(files))]  # fmt: skip
    problems += [f"'{name}' is missing" for name in sorted(set(files) - here)]
    problems += [f"'{name}' was cut short or altered: its hash does not fit"
                 for name in sorted(here & set(files)) if _sha256(path / name) != files[name]]  # fmt: skip
    if problems:
        raise DataError(problems, where=str(path))


def _build(entry: Mapping[str, Any]) -> Stage:
    return registry.stage_class(entry["name"])(
        **{name: _part(value) for name, value in entry["options"].items()}
    )


def _part(value: Any) -> Any:
    """A parameter from its form in JSON, see `keys.plain`."""
    if not isinstance(value, dict) or "use" not in value:
        return value
    return _build({"name": value["use"], "options": {k: v for k, v in value.items() if k != "use"}})


def _tensors(arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> bytes:
    from safetensors.numpy import save as to_bytes

    solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return to_bytes(solid, metadata={"note": json.dumps(note)})


def _read_arrays(file: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as load_arrays

    try:
        data = file.read_bytes()
        head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        return load_arrays(data), json.loads(head["__metadata__"]["note"])
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DataError(f"'{file.name}' is damaged: {error}", where=str(file.parent)) from error


def _compare(pipeline: Pipeline, saved: np.ndarray, head: Mapping[str, Any], path: Path) -> None:
    now = pipeline.predictions(Images.from_arrays(pipeline.probe_)).scores
    scale = max(float(np.abs(saved).max(initial=0)), 1e-6)
    apart = float(np.abs(now - saved).max(initial=0)) / scale if now.shape == saved.shape else np.inf
    if not apart <= PROBE_TOLERANCE:
        was, here = head["environment"]["libraries"], environment(1, "cpu")["libraries"]
        changed = [
            f"{name} {was.get(name)} -> {here.get(name)}" for name in was if was.get(name) != here.get(name)
        ]
        why = f"; since it was saved: {', '.join(changed)}" if changed else ""
        raise DataError(
            f"the model gives other scores here than when it was saved (by {apart:.1e}){why}", where=str(path)
        )


def _file_name(position: int, stage: Stage) -> str:
    return f"{position:02d}_{stage.name}.safetensors"


def _signed(head: Mapping[str, Any]) -> dict[str, Any]:
    plain = json.loads(json.dumps(head, default=keys.plain))
    return {**plain, "digest": keys.digest(plain)}


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return "unreadable"
