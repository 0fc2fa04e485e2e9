"""A comparison from its candidates to its result: run them one after the other, read what they found, judge."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.comparison import words
from cvpipe.comparison.entrants import Entrant, with_options
from cvpipe.comparison.execute import Failure, Runner
from cvpipe.comparison.judge import Evidence, judge
from cvpipe.comparison.read import as_candidate
from cvpipe.comparison.record import FILE, candidate_key, data_key, is_finished, read_record
from cvpipe.comparison.result import Answers, Candidate, Comparison
from cvpipe.comparison.run_files import read_run
from cvpipe.comparison.sharing import ordered
from cvpipe.conductor import keys, workers
from cvpipe.conductor.environment import environment, resolve_device
from cvpipe.conductor.progress import Progress
from cvpipe.data import Dataset
from cvpipe.device import Device, use
from cvpipe.errors import DataError, RunError, SpecError, listed

LIBRARIES = ("cv2", "numba", "scipy.sparse", "joblib", "sklearn.svm", "sklearn.model_selection", "sklearn.manifold",
             "jinja2")  # fmt: skip
"""What nearly every run imports sooner or later."""
HEAVY = {"torch ": "torch", "torchvision ": "torchvision"}
"""What only some need, and takes seconds to import: by the beginning of its line among the libraries of a stage."""


@dataclass(frozen=True)
class Contest:
    """Candidates that can be compared, and where and how."""

    name: str
    entrants: Sequence[Entrant]
    folder: Path
    train_sizes: Sequence[int] = ()
    jobs: int | None = None
    device: Device = "auto"
    smoke: bool = False

    def hold(self, work: str, progress: Progress) -> Comparison:
        """Run every candidate that is not finished yet, by the function `work` (`module:function`), and judge all.

        Raises `DataError` if the data cannot be read or split, and an error with all reasons if no candidate
        finished.
        """
        began = time.perf_counter()
        resolve_device(self.device)
        with Runner(work, self._libraries()) as runner:
            if not all((self.run_folder(entrant.name) / FILE).exists() for entrant in self.entrants):
                runner.start()  # it imports libraries while the data are looked at
            dataset = self.entrants[0].spec.data.load()
            self._check_sizes(dataset)
            with use(self.device):  # keys name it
                failures = self._run(runner, data_key(dataset), progress)
        took = time.perf_counter() - began
        return self._judged(dataset, failures, took)

    def _judged(self, dataset: Dataset, failures: dict[str, Failure], took: float) -> Comparison:
        """What the runs in the folder found, and which differences are real."""
        candidates, summaries = self._read_all(failures)
        _same_images(candidates)
        finished = [c for c in candidates if c.ok]
        if not finished:
            raise _all_failed(candidates, list(failures.values()))
        first = summaries[finished[0].name]
        pairs, many = judge(finished, self._evidence(dataset, finished))
        comparison = Comparison(
            name=self.name,
            data=first["data"],
            split=first["split"],
            seed=first["seed"],
            metric=self.entrants[0].metric,
            candidates=candidates,
            pairs=pairs,
            many=many,
            sentences=[],
            environment=environment(workers.count(self.jobs), finished[0].device),
            total_s=took,
            warnings=_warnings({c.name: summaries[c.name]["warnings"] for c in finished}),
            folder=self.folder,
        )
        comparison.sentences = words.sentences(comparison)
        return comparison

    def run_folder(self, name: str) -> Path:
        """Where the run of a candidate is."""
        return self.folder / "runs" / name

    def _run(self, runner: Runner, data: str, progress: Progress) -> dict[str, Failure]:
        """Run what is not finished; failures by name."""
        begun: dict[int, str] = {}
        options = {"smoke": self.smoke, "train_sizes": [] if self.smoke else sorted(set(self.train_sizes))}
        for number, place in enumerate(ordered(self.entrants)):
            entrant = self.entrants[place]
            key, folder = candidate_key(entrant, data, options), self.run_folder(entrant.name)
            turn = f"candidate {number + 1} of {len(self.entrants)}: {entrant.name}"
            if is_finished(folder, key):
                progress.note(f"{turn}, finished before")
                continue
            progress.note(turn)
            task = {"spec": entrant.spec.resolved(), "folder": str(folder), "key": key, "jobs": self.jobs,
                    "device": self.device, **options}  # fmt: skip
            turn_number = runner.run(task, progress)
            begun[turn_number] = entrant.name
            if failure := runner.failed(turn_number):
                progress.note(f"{entrant.name} failed: {failure.reason}")
        runner.finish(progress)
        return {begun[task]: failure for task, failure in runner.outcomes.items() if failure}

    def _libraries(self) -> list[str]:
        """What a worker imports once for all candidates."""
        stages = {type(stage).__module__ for entrant in self.entrants for stage in entrant.spec.stages}
        used = {line for module in stages for line in keys.code_of(module)}
        heavy = [name for start, name in HEAVY.items() if any(line.startswith(start) for line in used)]
        return [*LIBRARIES, *sorted(stages), *heavy]

    def _check_sizes(self, dataset: Dataset) -> None:
        """Raises `DataError` if a class has too few images for the largest train size."""
        first = self.entrants[0].spec
        if self.train_sizes and not self.smoke:
            with_options(first.split, train_per_class=max(self.train_sizes)).folds(dataset, first.seed)

    def _read_all(self, failures: dict[str, Failure]) -> tuple[list[Candidate], dict[str, dict[str, Any]]]:
        """All candidates, and the `result.json` of those that finished."""
        candidates, summaries = [], {}
        for entrant in self.entrants:
            name, spec, folder = entrant.name, entrant.spec.resolved(), self.run_folder(entrant.name)
            try:
                if name in failures:
                    raise DataError(failures[name].reason)
                run = read_run(folder)
                candidates.append(as_candidate(name, spec, run, read_record(folder)))
                summaries[name] = run.summary
            except DataError as error:
                candidates.append(Candidate(name, spec, "failed", str(error), folder))
        return candidates, summaries

    def _evidence(self, dataset: Dataset, finished: Sequence[Candidate]) -> Evidence:
        first, answers = self.entrants[0].spec, finished[0].answers
        assert answers is not None
        sides = np.array(read_record(self.run_folder(finished[0].name)).sides, float)
        return Evidence(
            metric=self.entrants[0].metric,
            units=_units(dataset, answers),
            grouped=dataset.groups is not None,
            test_per_train=float((sides[:, 1] / sides[:, 0]).mean()),
            five_by_two=(getattr(first.split, "kfold", 0), getattr(first.split, "repeats", 0)) == (2, 5)
            and not self.smoke,
            seed=first.seed,
        )


def _units(dataset: Dataset, answers: Answers) -> np.ndarray:
    """What is drawn as one, for each answer."""
    if dataset.groups is None:
        return answers.ids
    group = dict(zip(dataset.images.ids, dataset.groups.tolist(), strict=True))
    return np.array([group[name] for name in answers.ids.tolist()])


def _same_images(candidates: Sequence[Candidate]) -> None:
    """Fail candidates whose answers are not about the images of the first that finished."""
    finished = [c for c in candidates if c.ok and c.answers is not None]
    for other in finished[1:]:
        one, two = finished[0].answers, other.answers
        assert one is not None
        assert two is not None
        if not all(
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
