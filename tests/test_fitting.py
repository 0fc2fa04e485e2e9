"""Learners that learn from what a sampler draws, and fits that go on where they were broken off."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pytest
import toys
from toys import Centroid, Spots, striped

from cvpipe import Pipeline, device, fitting
from cvpipe.conductor import keys
from cvpipe.conductor.progress import Progress
from cvpipe.data import Descriptors, Features, Images
from cvpipe.errors import SpecError
from cvpipe.stage import Learner, Stage

SPLIT = {"holdout": 0.5}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    toys.forget()
    Counted.seen.clear()
    return tmp_path / "cache"


class Counted(Learner):
    """Learns the mean of spots, gives the mean colours of images less that."""

    spots: Stage = Spots()  # what is learned from
    rows: int = 40  # spots to learn from

    mean_: np.ndarray

    seen: ClassVar[list[Descriptors]] = []

    @property
    def fit_rows(self) -> int:
        return self.rows

    @property
    def sampler(self) -> Stage:
        return self.spots

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        self.seen.append(descriptors)
        self.mean_ = descriptors.values.mean(axis=0)
        return self

    def transform(self, images: Images) -> Features:
        colours = np.array([image.reshape(-1, 3).mean(axis=0) for image in images], np.float32)
        return Features(values=colours.reshape(len(images), 3) - self.mean_.sum())


def test_a_learner_learns_from_what_its_sampler_gives_for_training_images() -> None:
    data = striped(70)
    result = Pipeline([Counted(), Centroid()]).run(data, split=SPLIT)
    (lesson,) = Counted.seen
    assert isinstance(lesson, Descriptors)
    assert 20 <= len(lesson.values) <= 40
    train = set(result.splits[0].train.tolist())
    assert set(lesson.values[:, 0].astype(int)) <= train
    assert set(Spots.transformed) <= train | {i + j for i in train for j in range(-32, 33)}
    assert [cost.name for cost in result.stages] == ["counted.spots", "counted", "centroid"]
    toys.forget()
    Pipeline([Counted(rows=41), Centroid()]).run(data, split=SPLIT)
    assert not Spots.transformed  # what it drew was kept
    assert len(Counted.seen) == 2


class Slow(Learner):
    """Adds up in three steps and keeps each; breaks off before `fails_at`."""

    steps: int = 3  # of adding 1
    total_: float

    fails_at: ClassVar[int] = 0
    done: ClassVar[list[int]] = []

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        found = fitting.load()
        start = found[1]["step"] if found else 0
        total = float(found[0]["total"][0]) if found else 0.0
        for step in range(start, self.steps):
            if step == self.fails_at:
                raise KeyboardInterrupt
            total += 1
            self.done.append(step)
            fitting.note(f"step {step + 1} of {self.steps}")
            fitting.save({"total": np.array([total])}, {"step": step + 1})
        self.total_ = total
        return self

    def transform(self, features: Features) -> Features:
        return Features(values=features.values[:, :2] + np.float32(self.total_))


class Heard(Progress):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def test_a_fit_that_was_broken_off_goes_on_where_it_was(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = striped(30)
    stages = [toys.Slopes(), Slow(), Centroid()]
    monkeypatch.setattr(Slow, "fails_at", 2)
    with pytest.raises(KeyboardInterrupt):
        Pipeline(stages).run(data, split=SPLIT)
    assert Slow.done == [0, 1]
    monkeypatch.setattr(Slow, "fails_at", -1)
    heard = Heard()
    Pipeline(stages).run(data, split=SPLIT, progress=heard)
    assert Slow.done == [0, 1, 2]
    assert "step 3 of 3" in heard.lines
    Slow.done.clear()
    Pipeline([toys.Slopes(), Slow(), Centroid(shift=1.0)]).run(data, split=SPLIT)
    assert Slow.done == []
    noted = [entry for entry in cache.glob("??/*.safetensors") if b'"step' in entry.read_bytes()[:500]]
    assert noted == []  # what was half learned is gone


class Hasty(Slow):
    """It ends before it is done."""

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        fitting.warn("not at its minimum")
        self.total_ = 0.0
        return self


def test_what_a_fit_warns_of_is_in_the_result_also_from_the_cache(cache: Path) -> None:
    data = striped(30)
    for shift in (0.0, 1.0):  # another classifier on what was learned before
        found = Pipeline([toys.Slopes(), Hasty(), Centroid(shift=shift)]).run(data, split={"kfold": 2})
        assert "stage 'hasty': not at its minimum (2 fits)" in found.warnings


def test_outside_a_run_nothing_is_kept() -> None:
    fitting.save({"a": np.zeros(1)}, {})
    fitting.note("nobody hears this")
    fitting.warn("nor this")
    assert fitting.load() is None


class Reader(Stage):
    """Reads a file beside the images."""

    path: str = ""  # of the file

    def reads(self) -> list[Path]:
        return [Path(self.path)]

    def transform(self, images: Images) -> Features:
        return Features(values=np.zeros((len(images), 1), np.float32))


def test_the_content_of_a_file_is_part_of_the_key(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    assert keys.stage_key("", Reader(path=str(file)))  # that it is missing is the stage's to tell
    file.write_text("one")
    first = keys.stage_key("", Reader(path=str(file)))
    assert keys.stage_key("", Reader(path=str(file))) == first
    file.write_text("another")
    assert keys.stage_key("", Reader(path=str(file))) != first
    (tmp_path / "folder").mkdir()
    empty = keys.stage_key("", Reader(path=str(tmp_path / "folder")))
    (tmp_path / "folder" / "a").write_text("a")
    assert keys.stage_key("", Reader(path=str(tmp_path / "folder"))) != empty


def test_results_of_another_device_have_another_key() -> None:
    with device.use("cpu"):
        assert device.current() == "cpu"
        first = keys.stage_key("", Spots())
    with device.use("cuda"):
        assert device.current() == "cuda"
        assert keys.stage_key("", Spots()) != first


def test_without_a_driver_the_device_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "DRIVER_FILES", ())
    assert device.current() == "cpu"


def test_a_conflict_of_options_is_told_before_a_run() -> None:
    class Picky(Spots):
        """Cannot have what it wants."""

        def conflicts(self) -> list[Any]:
            return ["option 'a' of stage 'picky' does not go with 'b'"]

    with pytest.raises(SpecError, match="does not go with 'b'"):
        Pipeline([Picky(), Centroid()]).check()
