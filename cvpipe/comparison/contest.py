"""A comparison from its candidates to its result: run them one after the other, read what they found, judge."""

from __future__ import annotations

import contextlib
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
from cvpipe.comparison.meanwhile import LONG_S, Meanwhile
from cvpipe.comparison.places import find_places, get_ready
from cvpipe.comparison.record import FILE, candidate_key, data_fingerprint, data_key, is_finished
from cvpipe.comparison.result import Comparison
from cvpipe.comparison.sharing import ordered
from cvpipe.conductor import workers
from cvpipe.conductor.environment import resolve_device
from cvpipe.conductor.heavy import heavy_libraries, late_libraries
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.scan import scan
from cvpipe.conductor.store import open_store
from cvpipe.data import Dataset
from cvpipe.device import Device, use
from cvpipe.errors import RunError


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
                self._look(progress)
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

    def _look(self, progress: Progress) -> None:
        """Take the first look at every image, which each candidate would have to wait for, or find in the cache."""
        if self.smoke:
            return  # they take a few only
        with contextlib.suppress(RunError), open_store(use_cache=True) as store:  # they will tell
            scan(self.dataset.images, store, workers.count(self.jobs), progress)

    def run_folder(self, name: str) -> Path:
        """Where the run of a candidate is."""
        return self.folder / "runs" / name

    def _run(
        self, runner: Runner, meanwhile: Meanwhile, data: str, progress: Progress
    ) -> tuple[dict[str, Failure], set[str]]:
        """Run what is not finished; failures by name, and the names of all that were begun."""
        tasks = list(self._tasks(data))  # all at once, while nothing is at work
        whole = self.entrants[0].spec.on_bad_image == "fail" and not self.smoke
        seen = data_fingerprint(self.dataset) if whole else None
        left = [task for task in tasks if not is_finished(Path(task["folder"]), task["key"], seen)]
        names = [task["spec"]["name"] for task in left]
        folders = [self.run_folder(name) for name in names]
        meanwhile.do(get_ready, LONG_S)
        for place, task in enumerate(tasks, 1):
            done = "" if task in left else ", finished before"
            progress.note(f"candidate {place} of {len(tasks)}: {task['spec']['name']}{done}")
            if task in left:
                meanwhile.begin()
                self._turn(runner, left, left.index(task), progress)
                meanwhile.do(partial(find_places, folders[: left.index(task)]))  # these have ended
        runner.finish(progress)
        meanwhile.do(partial(find_places, folders[-1:]))
        # A runner numbers tasks as it is given them.
        failures = {names[number]: failure for number, failure in runner.outcomes.items() if failure}
        return failures, set(names)

    def _turn(self, runner: Runner, tasks: list[dict[str, Any]], place: int, progress: Progress) -> None:
        """Run one of the tasks while the next gets ready, with what all before have found."""
        known = {key: taken for found in runner.found.values() for key, taken in (found or {}).items()}
        number = runner.run(tasks[place], progress, known, next(iter(tasks[place + 1 :]), None))
        if failure := runner.failed(number):
            progress.note(f"{tasks[place]['spec']['name']} failed: {failure.reason}")

    def _tasks(self, data: str) -> Iterator[dict[str, Any]]:
        """What is asked of a worker for each candidate, in the order of the runs."""
        options = {"smoke": self.smoke, "train_sizes": [] if self.smoke else sorted(set(self.train_sizes))}
        for place in ordered(self.entrants):
            entrant = self.entrants[place]
            yield {
                "spec": entrant.spec.resolved(),
                "folder": str(self.run_folder(entrant.name)),
                "key": candidate_key(entrant, data, options),
                "jobs": self.jobs,
                "device": self.device,
                **options,
            }

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
