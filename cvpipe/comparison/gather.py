"""What the runs of a comparison found, read from their folders and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.comparison import words
from cvpipe.comparison.candidate import Answers, Candidate
from cvpipe.comparison.entrants import Entrant
from cvpipe.comparison.execute import Failure
from cvpipe.comparison.judge import Evidence, judge
from cvpipe.comparison.read import as_candidate
from cvpipe.comparison.record import Record, read_record
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.run_files import read_run
from cvpipe.conductor import workers
from cvpipe.conductor.environment import environment
from cvpipe.data import Dataset
from cvpipe.errors import DataError, RunError, SpecError, listed

LONGEST = 1000
"""Letters of a reason that are told."""


@dataclass
class _Finished:
    """A run that can be compared."""

    candidate: Candidate
    summary: dict[str, Any]
    """`result.json`."""
    record: Record


def gather(
    name: str,
    entrants: Sequence[Entrant],
    folder: Path,
    failures: Mapping[str, Failure],
    dataset: Dataset,
    jobs: int | None,
) -> Comparison:
    """The comparison of what is in `folder`/runs; `failures` are those known already. Its time is not known here.

    Raises an error with all reasons if no candidate finished.
    """
    runs = [_read(entrant, folder / "runs" / entrant.name, failures) for entrant in entrants]
    candidates = [run.candidate if isinstance(run, _Finished) else run for run in runs]
    _same_images(candidates, {run.candidate.name: run.summary["data"]["fingerprint"]
                              for run in runs if isinstance(run, _Finished)})  # fmt: skip
    finished = [run for run in runs if isinstance(run, _Finished) and run.candidate.ok]
    if not finished:
        raise _all_failed(candidates, list(failures.values()))
    first, metric = finished[0], entrants[0].metric
    pairs, many = judge([run.candidate for run in finished], _evidence(dataset, first, metric))
    comparison = Comparison(
        name=name,
        data=first.summary["data"],
        split=first.summary["split"],
        seed=first.summary["seed"],
        metric=metric,
        candidates=candidates,
        pairs=pairs,
        many=many,
        sentences=[],
        environment=environment(workers.count(jobs), first.candidate.device),
        warnings=_warnings({run.candidate.name: run.summary["warnings"] for run in finished}),
        folder=folder,
    )
    comparison.sentences = words.sentences(comparison)
    return comparison


def _read(entrant: Entrant, folder: Path, failures: Mapping[str, Failure]) -> _Finished | Candidate:
    """A finished run, or a candidate that failed."""
    spec = entrant.spec.resolved()
    try:
        if entrant.name in failures:
            raise DataError(_shortened(failures[entrant.name].reason))
        run, record = read_run(folder), read_record(folder)
        return _Finished(as_candidate(entrant.name, spec, run, record), run.summary, record)
    except DataError as error:
        return Candidate(entrant.name, spec, "failed", str(error), folder)


def _shortened(reason: str) -> str:
    """A reason that fits into tables; the log of the run has all of it."""
    return reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…"


def _evidence(dataset: Dataset, first: _Finished, metric: str) -> Evidence:
    """What all are judged on; the same for all, since they saw the same images and splits."""
    assert first.candidate.answers is not None
    sides, split = np.array(first.record.sides, float), first.summary["split"]
    return Evidence(
        metric=metric,
        units=_units(dataset, first.candidate.answers),
        grouped=dataset.groups is not None,
        test_per_train=float((sides[:, 1] / sides[:, 0]).mean()),
        five_by_two=(split.get("kfold"), split.get("repeats")) == (2, 5),
        seed=first.summary["seed"],
    )


def _units(dataset: Dataset, answers: Answers) -> np.ndarray:
    """What is drawn as one, for each answer."""
    if dataset.groups is None:
        return answers.ids
    group = dict(zip(dataset.images.ids, dataset.groups.tolist(), strict=True))
    return np.array([group[name] for name in answers.ids.tolist()])


def _same_images(candidates: Sequence[Candidate], fingerprints: Mapping[str, str]) -> None:
    """Fail candidates whose answers are not about the images of the first that finished."""
    finished = [c for c in candidates if c.ok and c.answers is not None]
    for other in finished[1:]:
        one, two = finished[0].answers, other.answers
        assert one is not None
        assert two is not None
        if fingerprints[other.name] != fingerprints[finished[0].name] or not all(
            np.array_equal(getattr(one, part), getattr(two, part)) for part in ("ids", "split", "truth")
        ):
            other.status = "failed"
            other.reason = f"was tested on other images than {finished[0].name}; the data changed meanwhile"


def _warnings(said: Mapping[str, Sequence[str]]) -> list[str]:
    """What the runs warn about. What all warn of, such as copies of images on both sides of a split, is said once."""
    who: dict[str, list[str]] = {}
    for name, texts in said.items():
        for text in texts:
            who.setdefault(text, []).append(name)
    return [text if len(names) == len(said) > 1 else f"{listed(names, 'and')}: {text}"
            for text, names in who.items()]  # fmt: skip


def _all_failed(candidates: Sequence[Candidate], failures: Sequence[Failure]) -> Exception:
    """The error to raise where there is nothing to compare; what is said by all is said once."""
    codes = {failure.exit_code for failure in failures}
    kind = {2: SpecError, 3: DataError}.get(codes.pop(), RunError) if len(codes) == 1 else RunError
    reasons = list(dict.fromkeys(c.reason for c in candidates))
    if len(reasons) == 1:
        return kind(f"no candidate finished: {reasons[0]}")
    return kind(["no candidate finished", *(f"{c.name}: {c.reason}" for c in candidates)])
