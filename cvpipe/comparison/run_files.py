"""A finished run, read back from its folder; whatever is missing or damaged is said in one line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cvpipe.comparison.run_checks import Row, lacking, misfit, wrong_in
from cvpipe.conductor.result import FORMAT
from cvpipe.conductor.smoke import was_smoke
from cvpipe.errors import DataError
from cvpipe.files import newest, sha256

SEALED = ("spec.yaml", "predictions.csv")
"""Files whose hashes are in `result.json`; runs of earlier versions have none."""
COLUMNS = ["id", "split", "truth", "prediction", "score"]


@dataclass(frozen=True)
class RunFiles:
    """What a run wrote that can be compared."""

    folder: Path
    summary: dict[str, Any]
    """`result.json`."""
    predictions: list[Row]

    @cached_property
    def spec(self) -> dict[str, Any]:
        """`spec.yaml` as plain values; empty if the pipeline was made in Python. Raises `DataError`."""
        return _spec(self.folder / "spec.yaml")

    @property
    def sealed(self) -> bool:
        """Whether `result.json` knows the hashes of the other files, so that they are as the run wrote them."""
        return isinstance(hashes := self.summary.get("sha256"), dict) and set(SEALED) <= set(hashes)

    @property
    def smoke(self) -> bool:
        """Whether it was run with `--smoke`."""
        return was_smoke(self.summary)


def read_run(folder: str | Path) -> RunFiles:
    """The run in a folder. Raises `DataError`: no run, not finished, damaged, of another format."""
    path = Path(folder)
    try:
        _finished(path)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(folder)) from error
    summary = _summary(path / "result.json")
    rows = _predictions(path / "predictions.csv", summary)
    run = RunFiles(path, summary, rows)
    if not run.sealed:
        _spec(
            path / "spec.yaml"
        )  # reading YAML takes more time than all the rest, so otherwise its hash is enough
    _fits(run)
    return run


def _finished(path: Path) -> None:
    """Raises `DataError` if there is no run in a folder, or one that did not finish."""
    if not path.is_dir():
        raise DataError(
            "not a folder; a run is a folder with result.json" if path.exists() else "no such folder",
            where=str(path),
        )
    if not (path / "result.json").exists():
        begun = (path / "log.txt").exists() or (path / "spec.yaml").exists()
        said = (
            "the run did not finish: it has no result.json"
            if begun
            else f"no run here: result.json is missing{newest(path, '*/result.json', '*/*/result.json')}"
        )
        raise DataError(said, where=str(path))


def _fits(run: RunFiles) -> None:
    """Raises `DataError` if the files are no longer those of one run."""
    for name in SEALED if run.sealed else ():
        if sha256(_text(run.folder / name)) != run.summary["sha256"][name]:
            if name == "spec.yaml":
                _spec(run.folder / name)  # may tell more: that it is no YAML any more
            raise DataError(f"{name} was changed after the run", where=str(run.folder))
    if wrong := misfit(run.predictions, run.summary["scores"]):
        raise DataError(f"damaged: {wrong}", where=str(run.folder))


def _summary(file: Path) -> dict[str, Any]:
    try:
        summary = json.loads(_text(file))
    except (ValueError, RecursionError) as error:
        raise DataError("damaged: it is no complete JSON", where=str(file)) from error
    if not isinstance(summary, dict):
        raise DataError("damaged: it is no JSON object", where=str(file))
    got = summary.get("format", FORMAT)
    if got != FORMAT:
        of = summary.get("environment", {}).get("cvpipe", "another version")
        raise DataError(
            f"has format {got}, of cvpipe {of}; this cvpipe reads format {FORMAT}", where=str(file)
        )
    wrong = lacking(summary)
    if wrong:
        raise DataError(f"damaged: it lacks {', '.join(wrong)}", where=str(file))
    return summary


def _spec(file: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML, YAMLError

    yaml: Any = YAML(typ="safe", pure=True)
    try:
        spec = yaml.load(_text(file))
    except YAMLError as error:
        raise DataError("damaged: it is no YAML", where=str(file)) from error
    if not isinstance(spec, dict):
        raise DataError("damaged: it is no mapping", where=str(file))
    return spec


def _predictions(file: Path, summary: Mapping[str, Any]) -> list[Row]:
    try:
        lines = list(csv.reader(io.StringIO(_text(file), newline=""), strict=True))
    except csv.Error as error:
        raise DataError(f"damaged: {error}", where=str(file)) from error
    if not lines or lines[0] != COLUMNS:
        raise DataError(f"damaged: its first line is not {','.join(COLUMNS)}", where=str(file))
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS):
            raise DataError(
                f"damaged: {len(line)} columns instead of {len(COLUMNS)}", where=f"{file}:{number}"
            )
    told = sum(map(sum, summary.get("confusion", [])))
    if told and told != len(lines) - 1:
        raise DataError(
            f"has {len(lines) - 1:,} rows, but result.json tells of {told:,} predictions", where=str(file)
        )
    rows = [Row(*line) for line in lines[1:]]
    classes = summary["data"].get("class_names", [])
    for number, row in enumerate(rows, 2):
        if wrong := wrong_in(row, classes):
            raise DataError(f"damaged: {wrong}", where=f"{file}:{number}")
    return rows


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except FileNotFoundError as error:
        raise DataError("missing: the run is not whole", where=str(file)) from error
    except UnicodeDecodeError as error:
        raise DataError("damaged: it is no UTF-8 text", where=str(file)) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", where=str(file)) from error
