"""`candidate.json` beside a finished run: what decided it, what it cost, and the hashes of the files that count.

A candidate is finished where this file is there, names the same key, and the files are as it says. Then it is not run
again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cvpipe.conductor
import cvpipe.splits
from cvpipe.comparison.candidate import Costs, CurvePoint
from cvpipe.comparison.costs import with_model
from cvpipe.comparison.entrants import Entrant
from cvpipe.comparison.sharing import stage_keys
from cvpipe.conductor import keys
from cvpipe.conductor.result import RunResult
from cvpipe.conductor.scan import fingerprint, token_of
from cvpipe.data import Dataset
from cvpipe.errors import DataError, RunError
from cvpipe.files import write_whole

FILE = "candidate.json"
HASHED = ("result.json", "predictions.csv", "spec.yaml")
"""The files that a comparison reads again."""
KEPT = ("report.html", "model/model.json")
"""Other files without which a run is not whole."""


@dataclass(frozen=True)
class Record:
    """The content of `candidate.json`."""

    key: str
    """Equal for equal spec, data and code."""
    costs: Costs
    sides: list[tuple[int, int]]
    """Training and test images of each split."""
    curve: list[CurvePoint]
    hashes: dict[str, str]
    """SHA-256 by file."""


def data_key(dataset: Dataset) -> str:
    """The key of all images by content, and their labels and groups."""
    groups = None if dataset.groups is None else dataset.groups.tolist()
    tokens = [token_of(item)[0] for item in dataset.images.items]
    return keys.digest(dataset.images.ids, tokens, dataset.labels.tolist(), groups)


def data_fingerprint(dataset: Dataset) -> str:
    """The fingerprint that a run on all of it tells."""
    return fingerprint(dataset.images, [token_of(item)[0] for item in dataset.images.items], dataset.labels)


def candidate_key(entrant: Entrant, data: str, options: dict[str, Any]) -> str:
    """The key of a candidate on data with the key `data`; `options` are those of the comparison that change results."""
    return keys.digest(entrant.spec.resolved(), stage_keys(entrant)[-1], data, _judges(), options)


def write_record(result: RunResult, key: str, costs: Costs, curve: Sequence[CurvePoint]) -> None:
    """Write what a run costs beside its other files; that finishes it. Raises `RunError`."""
    assert result.folder is not None
    folder = result.folder
    sides = [(len(split.train), len(split.test)) for split in result.splits]
    record = Record(
        key,
        with_model(costs, folder / "model"),
        sides,
        list(curve),
        {name: _hash(folder / name) for name in HASHED},
    )
    try:
        write_whole(folder / FILE, json.dumps(asdict(record), indent=1) + "\n")
    except OSError as error:
        raise RunError(f"cannot write the results: {error.strerror}", where=str(folder)) from error


def read_record(folder: Path) -> Record:
    """What is known about a finished run. Raises `DataError` if it is not whole, or changed since."""
    try:
        plain = json.loads((folder / FILE).read_text(encoding="utf-8"))
        record = Record(
            plain["key"],
            Costs(**plain["costs"]),
            [(train, test) for train, test in plain["sides"]],
            [CurvePoint(**point) for point in plain["curve"]],
            plain["hashes"],
        )
        changed = [name for name in HASHED if _hash(folder / name) != record.hashes[name]]
    except FileNotFoundError as error:
        raise DataError(
            f"is no finished candidate: {Path(error.filename).name} is missing", where=str(folder)
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{FILE} cannot be read; it is damaged or of another version", where=str(folder)
        ) from error
    if changed:
        raise DataError(f"{changed[0]} was changed after the run", where=str(folder))
    return record


def is_finished(folder: Path, key: str, fingerprint: str | None = None) -> bool:
    """Whether a run with this key is there, whole, and of data with this fingerprint (None: of any)."""
    try:
        same = read_record(folder).key == key and all((folder / name).exists() for name in KEPT)
        if same and fingerprint is not None:
            return json.loads((folder / "result.json").read_text())["data"]["fingerprint"] == fingerprint
        return same
    except (DataError, ValueError, KeyError):
        return False


def _judges() -> list[str]:
    """Hashes of what splits, samples and scores: it decides results, and is in no key of a stage."""
    rooms = (Path(room.__path__[0]) for room in (cvpipe.splits, cvpipe.conductor))
    return [_hash(file) for room in rooms for file in sorted(room.glob("*.py"))]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
