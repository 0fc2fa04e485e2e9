"""What a run found out, in Python. `result.json` is the same without arrays of images."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.conductor.measured import Score, SplitResult, StageCost
from cvpipe.data import Dataset

if TYPE_CHECKING:
    from cvpipe.conductor.pipeline import Pipeline

FORMAT = 1
"""Of `result.json`; it grows when a reader of the old one would misunderstand the new one."""


@dataclass(frozen=True, eq=False)
class Worked:
    """A run whose stages have done their work, and that is not scored yet."""

    dataset: Dataset
    splits: list[SplitResult]
    pipeline: Pipeline
    """Fitted."""


@dataclass(eq=False)
class RunResult:
    """Everything that `Pipeline.run` knows at its end."""

    name: str
    dataset: Dataset
    """The images that were used: what was skipped is not in it."""
    fingerprint: str
    """Hash of all images and labels."""
    split: dict[str, Any]
    """As in the spec, such as `{"kfold": 5}`."""
    seed: int
    splits: list[SplitResult]
    scores: dict[str, Score]
    """By metric: accuracy, balanced_accuracy, macro_f1 (those that were asked for)."""
    baseline: dict[str, Score]
    """The same metrics of a classifier that always gives the most frequent training class."""
    beats_baseline: bool
    """True if the interval of the first metric lies above the baseline's mean."""
    confusion: np.ndarray
    """(k, k) int64, row = true class, column = predicted class, summed over splits."""
    per_class: dict[str, dict[str, float]]
    """class -> precision, recall, f1 in [0, 1], support (test images over all splits)."""
    stages: list[StageCost]
    total_s: float
    skipped: list[dict[str, str]]
    """`{id, reason}` of each image that could not be decoded."""
    environment: dict[str, Any]
    """Versions, machine, device, jobs."""
    spec: dict[str, Any]
    """The resolved spec: every default and seed is explicit."""
    pipeline: Pipeline
    """Fitted; on the training images of the first split unless `trained_on` says otherwise."""
    trained_on: str
    """`split 0 (1,680 images)` or `all 2,100 images`."""
    warnings: list[str]
    folder: Path | None = None
    """Where the files of the run are, if any were written."""

    def __repr__(self) -> str:
        """One line: what is in it are thousands of predictions."""
        scores = ", ".join(f"{name} {score.mean:.4f}" for name, score in self.scores.items())
        return f"<RunResult '{self.name}' on {self.dataset.name}: {scores}>"

    def summary(self) -> dict[str, Any]:
        """The content of `result.json`, but for the hashes of the files beside it."""
        return {
            "format": FORMAT,
            "name": self.name,
            "data": {
                "name": self.dataset.name,
                "images": len(self.dataset),
                "classes": len(self.dataset.classes),
                "class_names": self.dataset.classes.tolist(),
                "fingerprint": self.fingerprint,
                "note": self.dataset.note,
            },
            "split": self.split,
            "seed": self.seed,
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "baseline": {name: asdict(score) for name, score in self.baseline.items()},
            "beats_baseline": self.beats_baseline,
            "confusion": self.confusion.tolist(),
            "per_class": self.per_class,
            "stages": [asdict(stage) for stage in self.stages],
            "total_s": self.total_s,
            "skipped": self.skipped,
            "warnings": self.warnings,
            "trained_on": self.trained_on,
            "environment": self.environment,
        }
