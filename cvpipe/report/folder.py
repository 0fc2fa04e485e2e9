"""The folder of a run: always the same files, each whole or absent, `result.json` last, so that its presence means
all are there."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
from pathlib import Path

from cvpipe.conductor.result import RunResult
from cvpipe.conductor.save import save
from cvpipe.errors import RunError
from cvpipe.files import sha256, write_whole
from cvpipe.report.html import write_report
from cvpipe.spec import dump

FILES = ("result.json", "spec.yaml", "predictions.csv", "report.html", "model", "log.txt")
"""What a run writes."""


def claim(out: str | Path | None, name: str) -> Path:
    """Make the folder for a run: `out`, or the next free `runs/<name>/<n>`.

    A finished run in it is no longer whole from here on: its `result.json` goes first. Raises `RunError` if the
    folder cannot be made or written, or holds files of these names that no run wrote.
    """
    folder = Path(out) if out else Path("runs") / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder = folder if out else _next(folder)
        foreign = (
            [file for file in FILES if (folder / file).exists()]
            if not (folder / "spec.yaml").exists()
            else []
        )
        if set(foreign) - {"log.txt"}:
            raise RunError(f"has a {foreign[0]} that no run wrote; choose another --out", where=str(folder))
        (folder / "result.json").unlink(missing_ok=True)
        write_whole(folder / "log.txt", "")
    except OSError as error:
        raise RunError(f"cannot write a run here: {error.strerror}", where=str(folder)) from error
    return folder


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
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("id", "split", "truth", "prediction", "score"))
    ids = result.dataset.images.ids
    for number, split in enumerate(result.splits):
        best = split.predictions.scores.max(axis=1)
        for row, label, score in zip(split.test, split.predictions.labels, best, strict=True):
            table.writerow((ids[row], number, result.dataset.labels[row], label, f"{score:.6g}"))
    return text.getvalue()


def _next(parent: Path) -> Path:
    """Make `parent/1`, or the number after the last; the next one where another run was faster."""
    taken = [int(folder.name) for folder in parent.glob("*") if folder.name.isdigit()]
    for number in itertools.count(max(taken, default=0) + 1):
        with contextlib.suppress(FileExistsError):
            (parent / str(number)).mkdir()
            break
    return parent / str(number)
