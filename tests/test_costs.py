"""What an image costs, measured on few; and which libraries a worker imports for all candidates."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from toys import number, striped

from cvpipe.comparison.contest import Contest
from cvpipe.comparison.costs import MOST, speed
from cvpipe.comparison.entrants import enter
from cvpipe.comparison.suite import Asked
from cvpipe.conductor import trial
from cvpipe.data import Features, Images
from cvpipe.device import Device, use
from cvpipe.stage import Stage


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
    [(0.001, 12, 12), (0.001, 70, MOST), (0.01, 70, 4), (0.1, 70, 2), (0.001, 1, 1)],
)
def test_the_mean_of_as_many_images_as_there_is_time_for(
    monkeypatch: pytest.MonkeyPatch, each: float, images: int, timed: int
) -> None:
    monkeypatch.setattr(trial.time, "perf_counter", lambda: Clocked.clock[0])
    Clocked.seen.clear()
    found = speed([Clocked(each=each)], striped(images).images)
    assert found.seconds == [pytest.approx(each * (1 + timed) / 2)]
    assert found.dimension is None
    assert Clocked.seen == [0, *range(timed)]  # once more than needed: what compiles is not timed


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
