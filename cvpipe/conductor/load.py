"""Loading a saved pipeline; nothing from its folder is executed.

Every hash is checked, files it does not know are refused, and the probe is run: a model that was cut short or altered,
or that this machine's libraries would use differently, is refused instead of trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.conductor.environment import environment
from cvpipe.conductor.links import linked
from cvpipe.conductor.model_files import read_arrays
from cvpipe.conductor.model_stages import build, check_files, read_head, restored
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.data import Images
from cvpipe.errors import CvpipeError, DataError
from cvpipe.files import user_path

PROBE_TOLERANCE = 1e-3
"""How far scores may differ from the saved ones, relative to the largest: float32 sums in another order give about
1e-5."""


def load(folder: str | Path, probe: bool = True) -> Pipeline:
    """The fitted pipeline in a folder, checked. Nothing from the folder is executed.

    `probe=False` skips the comparison of predictions. Raises `DataError` for a model that is damaged or altered.
    """
    path = user_path(folder)
    head = read_head(path)
    try:
        check_files(path, head["files"])
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
    built = [build(entry) for entry in head["stages"]]
    stages = [restored(path, position, stage) for position, stage in enumerate(built)]
    pipeline = Pipeline([build(entry) for entry in head["stages"]], seed=head["seed"])
    pipeline.fitted_ = linked(stages)
    pipeline.about_ = head["about"]
    probe, _ = read_arrays(path / "probe.safetensors")
    pipeline.probe_ = [probe[f"image_{i}"] for i in range(len(probe) - 1)]
    return pipeline, probe["scores"]


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
