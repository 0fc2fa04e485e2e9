"""A pipeline that took part in a comparison: its answers, scores and costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cvpipe.conductor.measured import Score


@dataclass(frozen=True, eq=False)
class Answers:
    """What a candidate said about each test image of each split; m answers in all, an image once for each split that
    tests it. Answers of two candidates of one comparison stand in the same order."""

    ids: np.ndarray
    """(m,) ids of images."""
    split: np.ndarray
    """(m,) int64 number of the split."""
    truth: np.ndarray
    """(m,) true classes."""
    prediction: np.ndarray
    """(m,) predicted classes."""
    score: np.ndarray
    """(m,) float64 score of the predicted class; NaN where there is none. Scales differ between candidates."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def hits(self) -> np.ndarray:
        """(m,) bool, True where the prediction is the truth."""
        return np.asarray(self.prediction == self.truth)


@dataclass(frozen=True)
class Costs:
    """What a candidate costs. None of it depends on what was in the cache, except `total_s`."""

    fit_s: float | None
    """Seconds in `fit`, all learners together, mean over splits; None where a learner came from the cache of an
    earlier cvpipe that did not note it."""
    predict_ms_per_image: float
    """Milliseconds from a file to its prediction, by one worker, after a first call that loads libraries."""
    peak_rss_mb: float
    """The largest resident memory of the candidate's process, MB."""
    dimension: int | None
    """Numbers in the vector that the classifier gets; None where it gets images."""
    model_mb: float
    """Size of the saved model, MB."""
    total_s: float
    """Wall seconds of the run as it was, with whatever the cache held."""
    stages: list[dict[str, Any]]
    """By stage: name, fit_s, predict_ms_per_image, peak_rss_mb, output, cached; as above."""


@dataclass(frozen=True)
class CurvePoint:
    """The score after learning from fewer images; test images are the same."""

    train_size: int
    """Training images of each class."""
    mean: float
    std: float
    """Over splits."""
    values: list[float]
    """One for each split."""


@dataclass(eq=False, repr=False)
class Candidate:
    """A pipeline that took part."""

    name: str
    spec: dict[str, Any]
    """Resolved: every default and seed is explicit."""
    status: Literal["ok", "failed"] = "ok"
    reason: str = ""
    """Why it failed, in one line."""
    folder: Path | None = None
    """Of its run: result.json, predictions.csv, report.html, …"""
    scores: dict[str, Score] = field(default_factory=dict)
    """By metric."""
    answers: Answers | None = None
    """None if it failed."""
    confusion: np.ndarray | None = None
    """(k, k) int64, row = true class, column = predicted class, in the order of `Comparison.data["class_names"]`."""
    per_class: dict[str, dict[str, float]] = field(default_factory=dict)
    """class -> precision, recall, f1, support."""
    costs: Costs | None = None
    device: str = "cpu"
    curve: list[CurvePoint] = field(default_factory=list)
    """Against the number of training images, if that was asked for."""

    def __repr__(self) -> str:
        """One line: what is in it are thousands of answers."""
        scores = ", ".join(f"{name} {score.mean:.4f}" for name, score in self.scores.items())
        return f"<Candidate '{self.name}': {scores if self.ok else f'failed: {self.reason}'}>"

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def summary(self, folder: Path | None) -> dict[str, Any]:
        """Its part of `comparison.json` in `folder`, without answers: they are in the `predictions.csv` of its run."""
        run = self.folder
        if run and folder and run.is_relative_to(folder):
            run = run.relative_to(folder)
        return {
            "name": self.name,
            "status": self.status,
            "reason": self.reason,
            "folder": run.as_posix() if run else None,
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "costs": asdict(self.costs) if self.costs else None,
            "device": self.device,
            "confusion": None if self.confusion is None else self.confusion.tolist(),
            "per_class": self.per_class,
            "curve": [asdict(point) for point in self.curve],
            "spec": self.spec,
        }
