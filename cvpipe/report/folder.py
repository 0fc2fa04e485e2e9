"""The folder of a run: always the same files, each whole or absent, `result.json` last, so that its presence means
all are there."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cvpipe.conductor.result import RunResult
from cvpipe.conductor.save import save
from cvpipe.conductor.smoke import is_full
from cvpipe.errors import RunError, SpecError
from cvpipe.files import sha256, user_path, write_whole
from cvpipe.report.html import write_report
from cvpipe.spec import dump
from cvpipe.spec.nodes import parse

FILES = ("result.json", "spec.yaml", "predictions.csv", "report.html", "model", "log.txt")
"""What a run writes."""
DECIDE = ("data", "split", "seed", "stages")
"""Sections of a spec that decide what a run gives."""


def claim(
    out: str | Path | None, name: str, spec: Mapping[str, Any] | None = None, smoke: bool = False
) -> Path:
    """Make the folder for a run: `out`, or the next free `runs/<name>/<n>`.

    A finished run in it is no longer whole from here on: its `result.json` goes first. `spec` is the resolved one of
    the run to come: only a run of the same is replaced, and by a `smoke` test only another; without it any is. Raises
    `SpecError` for a folder of another run or of a comparison, or one with files of these names that no run wrote;
    `RunError` if it cannot be made or written.
    """
    folder = user_path(out) if out else Path("runs") / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder if out else _next(folder)
        said = _taken(folder, spec, smoke)
        if said:
            raise SpecError(f"{said}; choose another --out", where=str(folder))
        (folder / "result.json").unlink(missing_ok=True)
        write_whole(folder / "log.txt", "")
    except OSError as error:
        raise RunError(f"cannot write a run here: {error.strerror}", where=str(folder)) from error
    return folder


def _taken(folder: Path, spec: Mapping[str, Any] | None, smoke: bool) -> str:
    """Whose folder it is, if a run may not have it."""
    begun = (folder / "suite.yaml").exists() and (folder / "runs").is_dir()
    if begun or (folder / "comparison.json").exists():
        return "is of a comparison"
    if not ((folder / "spec.yaml").exists() and (folder / "log.txt").exists()):  # a run begins with its log
        foreign = [file for file in FILES if file != "log.txt" and (folder / file).exists()]
        return f"has a {foreign[0]} that no run wrote" if foreign else ""
    if spec is None or not (folder / "result.json").exists():
        return ""
    before, now = _spec_in(folder), parse(dump(dict(spec)), "").plain()
    if all(before.get(key) == now[key] for key in DECIDE):
        return (
            "holds a run on all images, and a smoke test would replace it"
            if smoke and is_full(folder)
            else ""
        )
    return f"is of another run ({before['name']})" if "name" in before else "is of another run"


def _spec_in(folder: Path) -> dict[str, Any]:
    """The spec of a finished run; empty where it cannot be read."""
    try:
        node = parse((folder / "spec.yaml").read_text(encoding="utf-8"), "")
    except (SpecError, UnicodeDecodeError):
        return {}
    return node.plain() if node.is_map else {}


def write(result: RunResult, folder: Path) -> None:
    """Write everything about a run. Raises `RunError`, and then there is no `result.json`."""
    try:
        texts = {"spec.yaml": dump(result.spec), "predictions.csv": predictions_csv(result)}
        for name, text in texts.items():
            write_whole(folder / name, text)
        about = {"name": result.name, "data": result.dataset.name, "fingerprint": result.fingerprint}
        save(result.pipeline, folder / "model", {**about, "trained_on": result.trained_on})
        write_report(result, folder / "report.html")
        summary = {**result.summary(), "sha256": {name: sha256(text) for name, text in texts.items()}}
        write_whole(folder / "result.json", json.dumps(summary, indent=1) + "\n")
    except OSError as error:
        raise RunError(f"cannot write the results: {error.strerror}", where=str(folder)) from error


def predictions_csv(result: RunResult) -> str:
    """One row for each test image of each split: id, split, truth, prediction, score (of the predicted class)."""
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\r\n")  # so that names with either of them in them are quoted
    table.writerow(("id", "split", "truth", "prediction", "score"))
    ids = result.dataset.images.ids
    for number, split in enumerate(result.splits):
        best = split.predictions.scores.max(axis=1)
        for row, label, score in zip(split.test, split.predictions.labels, best, strict=True):
            table.writerow((ids[row], number, result.dataset.labels[row], label, f"{score:.6g}"))
    return text.getvalue().replace("\r\n", "\n")


def _next(parent: Path) -> Path:
    """Make `parent/1`, or the number after the last; the next one where another run was faster."""
    taken = [int(folder.name) for folder in parent.glob("*") if folder.name.isdecimal()]
    for number in itertools.count(max(taken, default=0) + 1):
        with contextlib.suppress(FileExistsError):
            (parent / str(number)).mkdir()
            break
    return parent / str(number)
