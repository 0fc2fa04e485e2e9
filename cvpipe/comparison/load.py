"""A comparison from its folder, as it was when it was made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.comparison.candidate import Candidate, Costs, CurvePoint
from cvpipe.comparison.read import answers_of
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.run_files import read_run
from cvpipe.comparison.verdicts import FOLLOWS, Belief, Many, Pair, Significance
from cvpipe.conductor.measured import Score
from cvpipe.errors import DataError


def load_comparison(folder: str | Path) -> Comparison:
    """The comparison in a folder, with the answers of its runs where they are still there. Raises `DataError`."""
    folder = Path(folder)
    path = folder / "comparison.json"
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError("is no finished comparison: it has no comparison.json", where=str(folder)) from error
    except (OSError, ValueError) as error:
        raise DataError("cannot be read; it is damaged", where=str(path)) from error
    try:
        return _comparison(plain, folder)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DataError("is damaged or of another version of cvpipe", where=str(path)) from error


def _comparison(plain: dict[str, Any], folder: Path) -> Comparison:
    same = ("name", "data", "split", "seed", "metric", "sentences", "environment", "total_s", "warnings")
    return Comparison(
        candidates=[_candidate(one, folder) for one in plain["candidates"]],
        pairs=[_pair(one) for one in plain["pairs"]],
        many=_many(plain["many"]),
        folder=folder,
        **{name: plain[name] for name in same},
    )


def _candidate(plain: dict[str, Any], folder: Path) -> Candidate:
    run = folder / plain["folder"] if plain["folder"] else None
    there = run is not None and plain["status"] == "ok" and run.exists()
    return Candidate(
        name=plain["name"],
        spec=plain["spec"],
        status=plain["status"],
        reason=plain["reason"],
        folder=run,
        scores={name: Score(**score) for name, score in plain["scores"].items()},
        answers=answers_of(read_run(run).predictions) if run and there else None,
        confusion=None if plain["confusion"] is None else np.array(plain["confusion"], np.int64),
        per_class=plain["per_class"],
        costs=Costs(**plain["costs"]) if plain["costs"] else None,
        device=plain["device"],
        curve=[CurvePoint(**point) for point in plain["curve"]],
    )


def _pair(plain: dict[str, Any]) -> Pair:
    rest = {name: value for name, value in plain.items() if name not in FOLLOWS}
    rest["tests"] = [Significance(**test) for test in plain["tests"]]
    rest["belief"] = Belief(**plain["belief"]) if plain["belief"] else None
    for interval in ("ci95", "ci95_splits"):
        rest[interval] = tuple(plain[interval]) if plain[interval] else None
    return Pair(**rest)


def _many(plain: dict[str, Any] | None) -> Many | None:
    return Many(**{**plain, "test": Significance(**plain["test"])}) if plain else None
