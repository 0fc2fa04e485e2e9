"""A run's folder -> a candidate: scores from `result.json`, answers from `predictions.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cvpipe.comparison.candidate import Answers, Candidate
from cvpipe.comparison.record import Record
from cvpipe.comparison.run_files import Row, RunFiles
from cvpipe.conductor.measured import Score
from cvpipe.errors import DataError


def as_candidate(name: str, spec: dict[str, Any], run: RunFiles, record: Record) -> Candidate:
    """A candidate that has finished. Raises `DataError` if its files make no sense."""
    summary = run.summary
    try:
        return Candidate(
            name=name,
            spec=spec,
            folder=run.folder,
            scores={word: Score(**score) for word, score in summary["scores"].items()},
            answers=answers_of(run.predictions),
            confusion=np.array(summary["confusion"], np.int64),
            per_class=summary["per_class"],
            costs=record.costs,
            device=summary["environment"]["device"],
            curve=record.curve,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            "the run is damaged or of another version of cvpipe", where=str(run.folder)
        ) from error


def answers_of(rows: Sequence[Row]) -> Answers:
    """The rows of a `predictions.csv` as arrays; a score that is empty is NaN. Raises `ValueError`."""
    return Answers(
        ids=np.array([row.id for row in rows], str),
        split=np.array([row.split for row in rows], np.int64),
        truth=np.array([row.truth for row in rows], str),
        prediction=np.array([row.prediction for row in rows], str),
        score=np.array([row.score or "nan" for row in rows], np.float64),
    )
