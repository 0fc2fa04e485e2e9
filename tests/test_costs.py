"""What an image costs, measured on few; and which libraries a worker imports for all candidates."""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from toys import number, striped

from cvpipe.comparison.contest import Contest
from cvpipe.comparison.costs import MOST, costs, speed, speeds
from cvpipe.comparison.entrants import enter
from cvpipe.comparison.suite import Asked
from cvpipe.conductor import trial
from cvpipe.conductor.pipeline import Pipeline
from cvpipe.data import Features, Images
from cvpipe.device import Device, use
from cvpipe.stage import Stage
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.features.raw_pixels import RawPixels
from cvpipe.stages.features.standardize import Standardize


class Clocked(Stage):
    """Image i takes (i + 1) * `each` seconds, the first call 5 s more."""

    each: float = 0.001  # s

    clock: ClassVar[list[float]] = [0.0]
    seen: ClassVar[list[int]] = []

    def transform(self, images: Images) -> Features:
        self.clock[0] += 5.0 * (not self.seen)
        for image in images:
            self.clock[0] += self.each * (number(image) + 1)
            self.seen.append(number(image))
        return Features(values=np.zeros((len(images), 3), np.float32))


@pytest.mark.parametrize(
    ("each", "images", "timed"),
    [(0.001, 12, 12), (0.001, 70, MOST), (0.01, 70, 6), (0.1, 70, 2), (0.001, 1, 1)],
)
def test_the_mean_of_as_many_images_as_there_is_time_for(
    monkeypatch: pytest.MonkeyPatch, each: float, images: int, timed: int
) -> None:
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(trial.time, clock, lambda: Clocked.clock[0])
    Clocked.seen.clear()
    found = speed([Clocked(each=each)], striped(images).images)
    assert found.seconds == [pytest.approx(each * (1 + timed) / 2)]
    assert found.dimension is None
    assert Clocked.seen == [0, *range(timed)]  # once more than needed: what compiles is not timed


class Waits(Stage):
    """Waits for a third of a second, as others may make it wait, and then works for a tenth."""

    def transform(self, images: Images) -> Features:
        time.sleep(0.3)
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        return Features(values=np.zeros((len(images), 3), np.float32))


@pytest.mark.parametrize(("device", "seconds"), [("cpu", 0.1), ("cuda", 0.4)])
def test_waiting_for_others_is_no_cost_where_the_work_is_on_the_cpu(device: Device, seconds: float) -> None:
    with use(device):
        _, found = trial.again(Waits(), striped(1).images)
    assert found == pytest.approx(seconds, abs=0.09)


def test_what_is_known_of_shared_stages_is_not_measured_again() -> None:
    dataset = striped(24)
    result = Pipeline([RawPixels(), Standardize(), Knn()], cache=False).run(dataset, split={"kfold": 2})
    first, dimension = speeds(result, {})
    pixels, scaler, knn = first
    again, same = speeds(result, {pixels: 7.0, scaler: 8.0, knn: 9.0})
    assert (list(again), same) == (list(first), dimension)
    assert [again[pixels], again[scaler]] == [7.0, 8.0]
    assert again[knn] < 9.0  # what ends a pipeline is its own
    alone, _ = speeds(result, {scaler: 8.0})
    assert alone[scaler] < 8.0  # it was measured on what something else gave
    found = costs(result, again.values(), same, 100.0)
    assert [stage["predict_ms_per_image"] for stage in found.stages][:2] == [7000.0, 8000.0]


@pytest.mark.parametrize(
    ("stages", "device", "imported"),
    [
        (["dense_sift", "mean_pool", "svm"], "cpu", False),
        (["dense_sift", "mean_pool", "svm"], "cuda", True),
        (["cnn"], "cpu", True),
    ],
)
def test_torch_is_imported_for_those_who_need_it(
    stages: list[str], device: Device, imported: bool, tmp_path: Path
) -> None:
    spec = {"name": "one", "data": "digits", "stages": stages}
    entrants = enter([Asked(spec), Asked({**spec, "name": "two"})])
    with use(device):
        libraries = Contest("c", entrants, tmp_path)._libraries()
    assert ("torch" in libraries) == imported
    assert "cv2" in libraries
