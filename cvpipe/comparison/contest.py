"""A comparison from its candidates to its result: run them one after the other, read what they found, judge."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from cvpipe.comparison.ahead import LIBRARIES
from cvpipe.comparison.entrants import Entrant, with_options
from cvpipe.comparison.execute import Failure, Runner
from cvpipe.comparison.gather import gather
from cvpipe.comparison.meanwhile import Meanwhile
from cvpipe.comparison.places import find_places, get_ready
from cvpipe.comparison.record import FILE, candidate_key, data_key, is_finished
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.sharing import ordered
from cvpipe.conductor.environment import resolve_device
from cvpipe.conductor.heavy import heavy_libraries, late_libraries
from cvpipe.conductor.progress import Progress
from cvpipe.data import Dataset
from cvpipe.device import Device, use


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

    def hold(self, work: str, progress: Progress, meanwhile: Meanwhile) -> Comparison:
        """Run every candidate that is not finished yet, by the function `work` (`module:function`), and judge all;
        `meanwhile` begins when the first is at work.

        Raises `DataError` if the data cannot be read or split, and an error with all reasons if no candidate
        finished.
        """
        began = time.perf_counter()
        resolve_device(self.device)
        left = not all((self.run_folder(entrant.name) / FILE).exists() for entrant in self.entrants)
        libraries = self._libraries() if left else []
        with use(self.device), Runner(work, libraries) as runner:  # keys name the device
            if left:
                runner.start()  # it imports libraries while the data are looked at
            self._check_sizes()
            failures, begun = self._run(runner, meanwhile, data_key(self.dataset), progress)
        comparison = gather(self.name, self.entrants, self.folder, failures, self.dataset, self.jobs)
        before = (c.costs.total_s for c in comparison.candidates if c.costs and c.name not in begun)
        comparison.total_s = time.perf_counter() - began + sum(before)
        return comparison

    @cached_property
    def dataset(self) -> Dataset:
        """What all of them see. Raises `DataError`."""
        return self.entrants[0].spec.data.load()

    def run_folder(self, name: str) -> Path:
        """Where the run of a candidate is."""
        return self.folder / "runs" / name

    def _run(
        self, runner: Runner, meanwhile: Meanwhile, data: str, progress: Progress
    ) -> tuple[dict[str, Failure], set[str]]:
        """Run what is not finished; failures by name, and the names of all that were begun."""
        begun: list[str] = []  # by the number of the task
        meanwhile.do(get_ready)
        for name, task in self._left(data, progress):
            meanwhile.begin()
            number = runner.run(task, progress)
            meanwhile.do(partial(find_places, [self.run_folder(before) for before in begun[-1:]]))  # have ended
            begun.append(name)
            if failure := runner.failed(number):
                progress.note(f"{name} failed: {failure.reason}")
        runner.finish(progress)
        meanwhile.do(partial(find_places, [self.run_folder(before) for before in begun[-1:]]))
        failures = {begun[task]: failure for task, failure in runner.outcomes.items() if failure}
        return failures, set(begun)

    def _left(self, data: str, progress: Progress) -> Iterator[tuple[str, dict[str, Any]]]:
        """Name and task of each candidate that is not finished."""
        options = {"smoke": self.smoke, "train_sizes": [] if self.smoke else sorted(set(self.train_sizes))}
        for number, place in enumerate(ordered(self.entrants)):
            entrant = self.entrants[place]
            key, folder = candidate_key(entrant, data, options), self.run_folder(entrant.name)
            turn = f"candidate {number + 1} of {len(self.entrants)}: {entrant.name}"
            if is_finished(folder, key):
                progress.note(f"{turn}, finished before")
                continue
            progress.note(turn)
            yield entrant.name, {"spec": entrant.spec.resolved(), "folder": str(folder), "key": key,
                                 "jobs": self.jobs, "device": self.device, **options}  # fmt: skip

    def _libraries(self) -> list[str]:
        """What a worker imports once for all candidates."""
        stages = {type(stage) for entrant in self.entrants for stage in entrant.spec.stages}
        modules = {stage.__module__ for stage in stages}
        inside = {name for stage in stages for name in (*heavy_libraries(stage), *late_libraries(stage))}
        return [*LIBRARIES, *sorted(modules), *sorted(inside)]

    def _check_sizes(self) -> None:
        """Raises `DataError` if a class has too few images for the largest train size."""
        first = self.entrants[0].spec
        if self.train_sizes and not self.smoke:
            with_options(first.split, train_per_class=max(self.train_sizes)).folds(self.dataset, first.seed)
