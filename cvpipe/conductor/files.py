"""Predictions for image files, wherever they lie; a bad file costs no other its prediction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.scan import scan
from cvpipe.conductor.store import Nowhere
from cvpipe.data import Images
from cvpipe.datasets._files import unread_text
from cvpipe.datasets._walk import Tree, walk
from cvpipe.errors import DataError


@dataclass(frozen=True)
class FilePrediction:
    """What became of one file."""

    id: str
    """The path, as it was given."""
    prediction: str = ""
    """The class of the highest score; empty for a bad file."""
    score: float = float("nan")
    """The highest score, as in `predictions.csv`; NaN for a bad file."""
    reason: str = ""
    """Why the file is bad; empty for a good one."""
    ranking: tuple[tuple[str, float], ...] = ()
    """The classes of the highest scores with their scores, the highest first."""


def predict_files(
    pipeline: Pipeline,
    paths: Sequence[str | Path],
    jobs: int | None = None,
    progress: Progress | None = None,
    top: int = 1,
) -> list[FilePrediction]:
    """A prediction with a ranking of `top` classes, or the reason why there is none, for each file, in order."""
    images, listener = Images.from_files(paths), progress or Progress()
    if not len(images):
        return []
    pipeline.jobs = jobs or pipeline.jobs
    reasons = scan(images, Nowhere(), workers.count(pipeline.jobs), listener).reasons
    good = np.flatnonzero([not reason for reason in reasons])
    found = [FilePrediction(name, reason=reason) for name, reason in zip(images.ids, reasons, strict=True)]
    predictions = pipeline.predictions(images[good], listener)
    for row, label, scores in zip(good, predictions.labels, predictions.scores, strict=True):
        order = np.argsort(-scores, kind="stable")[:top]
        ranking = tuple((str(predictions.classes[i]), float(scores[i])) for i in order)
        found[row] = FilePrediction(images.ids[row], str(label), float(scores.max()), ranking=ranking)
    return found


def image_files(paths: Iterable[str | Path], tree: Tree | None = None) -> list[str | Path]:
    """Files as they were given; all images below folders, sorted; `tree` is told what else is in them.

    Raises `DataError` for a folder without images.
    """
    found: list[str | Path] = []
    seen = tree or Tree()
    problems = []
    for path in paths:
        try:
            before = len(seen.unread)
            inside = list(walk(Path(path), seen)) if Path(path).is_dir() else [path]
        except OSError as error:
            problems.append(f"{error.filename}: cannot be listed: {error.strerror}")
            continue
        found += inside
        if not inside:
            unread = seen.unread[before:]
            problems.append(f"{path}: {unread_text(unread) if unread else 'no images in this folder'}")
    if problems:
        raise DataError(problems)
    return found
