"""A run's folder -> a candidate: scores from `result.json`, answers from `predictions.csv`."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.comparison.record import Record
from cvpipe.comparison.result import Answers, Candidate
from cvpipe.conductor.result import Score, StageCost
from cvpipe.errors import DataError

COLUMNS = ("id", "split", "truth", "prediction", "score")


def read_candidate(name: str, spec: dict[str, Any], folder: Path, record: Record) -> Candidate:
    """A candidate that has finished. Raises `DataError` if its files make no sense."""
    result = read_result(folder)
    try:
        return Candidate(
            name=name,
            spec=spec,
            folder=folder,
            scores={word: Score(**score) for word, score in result["scores"].items()},
            answers=read_answers(folder / "predictions.csv"),
            confusion=np.array(result["confusion"], np.int64),
            per_class=result["per_class"],
            costs=record.costs,
            device=result["environment"]["device"],
            curve=record.curve,
        )
    except (KeyError, TypeError) as error:
        raise DataError(
            "result.json is damaged or of another version of cvpipe", where=str(folder)
        ) from error


def read_result(folder: Path) -> dict[str, Any]:
    """The content of `result.json`. Raises `DataError`."""
    try:
        result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("is no finished run: it has no result.json", where=str(folder)) from error
    except (OSError, ValueError) as error:
        raise DataError("result.json cannot be read; it is damaged", where=str(folder)) from error
    if not isinstance(result, dict):
        raise DataError("result.json holds no result", where=str(folder))
    return result


def read_run(folder: Path) -> dict[str, Any]:
    """The content of a `result.json` that has all its parts. Raises `DataError`."""
    result = read_result(folder)
    try:
        [Score(**score) for part in ("scores", "baseline") for score in result[part].values()]
        [StageCost(**cost) for cost in result["stages"]]
        [result["data"][part] for part in ("name", "images", "classes", "fingerprint")]
        [result[part] for part in ("name", "split", "total_s", "warnings", "trained_on")]
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            "result.json is damaged or of another version of cvpipe", where=str(folder)
        ) from error
    return result


def read_answers(path: Path) -> Answers:
    """The rows of a `predictions.csv`. Raises `DataError`."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            table = csv.reader(file)
            head = tuple(next(table, ()))
            rows = [row for row in table if row]
        if head != COLUMNS:
            raise DataError(
                f"must have the columns {', '.join(COLUMNS)}, got {', '.join(head)}", where=str(path)
            )
        ids, split, truth, prediction, score = zip(*rows, strict=True) if rows else ((),) * 5
        numbers = np.array([float(text or "nan") for text in score], np.float64)
        return Answers(
            np.array(ids, str),
            np.array(split, np.int64),
            np.array(truth, str),
            np.array(prediction, str),
            numbers,
        )
    except (OSError, ValueError) as error:
        raise DataError("cannot be read; it is damaged", where=str(path)) from error
