"""Loading a saved pipeline; nothing from its folder is executed.

Every hash is checked, files it does not know are refused, and the probe is run: a model that was cut short or altered,
or that this machine's libraries would use differently, is refused instead of trusted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe import registry
from cvpipe.conductor.chunks import linked
from cvpipe.conductor.environment import environment
from cvpipe.conductor.model_files import FORMAT, file_name, read_arrays, sha256, signed
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.state import unpack
from cvpipe.data import Images
from cvpipe.errors import CvpipeError, DataError
from cvpipe.stage import Learner, Stage

PROBE_TOLERANCE = 1e-3
"""How far scores may differ from the saved ones, relative to the largest: float32 sums in another order give about
1e-5."""


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
            stage.restore(unpack(*read_arrays(path / file_name(position, stage))))
    pipeline = Pipeline(stages, seed=head["seed"])
    pipeline.fitted_ = linked(stages)
    pipeline.about_ = head["about"]
    probe, _ = read_arrays(path / "probe.safetensors")
    pipeline.probe_ = [probe[f"image_{i}"] for i in range(len(probe) - 1)]
    return pipeline, probe["scores"]


def _read_head(path: Path) -> dict[str, Any]:
    try:
        head = json.loads((path / "model.json").read_bytes())
        whole = head == signed({name: value for name, value in head.items() if name != "digest"})
    except FileNotFoundError as error:
        raise DataError("no model here: model.json is missing", where=str(path)) from error
    except OSError as error:
        raise DataError(f"cannot read the model: {error.strerror}", where=str(path)) from error
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DataError("model.json is damaged: it is no complete JSON object", where=str(path)) from error
    if head.get("format") != FORMAT:
        got = f"format {head.get('format')} of cvpipe {head.get('cvpipe')}"
        raise DataError(f"the model has {got}; this cvpipe reads format {FORMAT}", where=str(path))
    if not whole:
        raise DataError("model.json was altered: its own hash does not fit", where=str(path))
    return head


def _check_files(path: Path, files: Mapping[str, str]) -> None:
    here = {file.name for file in path.iterdir() if not file.name.startswith(".")} - {"model.json"}
    problems = [f"'{name}' does not belong to the model, which is JSON and safetensors only"
                for name in sorted(here - set(files))]  # fmt: skip
    problems += [f"'{name}' is missing" for name in sorted(set(files) - here)]
    problems += [f"'{name}' was cut short or altered: its hash does not fit"
                 for name in sorted(here & set(files)) if sha256(path / name) != files[name]]  # fmt: skip
    if problems:
        raise DataError(problems, where=str(path))


def _build(entry: Mapping[str, Any]) -> Stage:
    return registry.stage_class(entry["name"])(
        **{name: _part(value) for name, value in entry["options"].items()}
    )


def _part(value: Any) -> Any:
    """A parameter from its form in JSON, see `keys.plain`."""
    if isinstance(value, list):
        return [_part(item) for item in value]
    if not isinstance(value, dict) or "use" not in value:
        return value
    return _build({"name": value["use"], "options": {k: v for k, v in value.items() if k != "use"}})


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
