"""What scripts call: a spec in, a result and a folder out."""

from __future__ import annotations

import csv
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cvpipe
from cvpipe import api
from cvpipe.conductor.progress import Progress
from cvpipe.errors import DataError, SpecError
from cvpipe.report.folder import FILES, claim
from cvpipe.spec import load_spec
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.classifiers.svm import Svm

STAGES: list[Any] = [{"sift": {"max_keypoints": 30}}, "root_sift", {"bag_of_words": {"words": 4}}, "svm"]


@pytest.fixture
def spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, class_folders: Callable[..., Path]
) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    folder = class_folders({"cat": 8, "dog": 8})
    return {"name": "small", "data": {"folder": str(folder)}, "split": {"kfold": 2}, "stages": STAGES}


class Told(Progress):
    def __init__(self) -> None:
        self.begun: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.ended: list[str] = []
        self.notes: list[str] = []

    def begin(self, stage: str, total: int) -> None:
        self.begun[stage] = total

    def advance(self, stage: str, images: int) -> None:
        self.done[stage] = self.done.get(stage, 0) + images

    def end(self, stage: str) -> None:
        self.ended.append(stage)

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_without_a_folder_writes_nothing(spec: dict[str, Any], tmp_path: Path) -> None:
    result = api.run(spec)
    assert 0 <= result.scores["accuracy"].mean <= 1
    assert re.fullmatch(r"<RunResult '\w+' on \w+: accuracy [01]\.\d{4}.*>", repr(result))
    assert result.folder is None
    assert {path.name for path in tmp_path.iterdir()} == {"images", "cache"}


def test_a_run_writes_its_folder(spec: dict[str, Any], tmp_path: Path) -> None:
    result = api.run(spec, out="out")
    assert result.folder == Path("out")
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(FILES)
    summary = json.loads(Path("out/result.json").read_text())
    assert summary["scores"]["accuracy"]["mean"] == result.scores["accuracy"].mean
    assert [stage["name"] for stage in summary["stages"]] == ["sift", "root_sift", "bag_of_words", "svm"]
    with open("out/predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["id"] for row in rows) == sorted(result.dataset.images.ids)
    right = [row["truth"] == row["prediction"] for row in rows]
    assert np.mean(right) == pytest.approx(result.scores["accuracy"].mean)
    log = Path("out/log.txt").read_text()
    assert "small on images: 16 images, 2 classes" in log
    assert "fitting bag_of_words on 8 images" in log
    loaded = cvpipe.load("out/model")
    first = result.splits[0]
    np.testing.assert_array_equal(loaded.predict(result.dataset.images[first.test]), first.predictions.labels)
    assert loaded.about_["name"] == "small"


def test_the_written_spec_runs_to_the_same_numbers(spec: dict[str, Any]) -> None:
    first = api.run(spec, seed=4, out="out")
    again = api.run("out/spec.yaml", cache=False)
    assert again.scores == first.scores
    for one, other in zip(first.splits, again.splits, strict=True):
        np.testing.assert_array_equal(one.predictions.scores, other.predictions.scores)


def test_changes_by_keyword_and_by_text_are_the_same(spec: dict[str, Any]) -> None:
    one = api.run(spec, overrides=["bag_of_words.words=3", "split={holdout: 0.5}"], seed=2)
    other = api.run(spec, bag_of_words__words=3, split={"holdout": 0.5}, seed=2)
    assert one.scores == other.scores
    assert one.spec == other.spec
    assert one.spec["stages"][2]["bag_of_words"]["words"] == 3
    with pytest.raises(
        SpecError, match=r"unknown option 'wrods' of stage 'bag_of_words' \(did you mean 'words'\?\)"
    ):
        api.run(spec, bag_of_words__wrods=3)


def test_a_spec_object_is_complete(spec: dict[str, Any]) -> None:
    loaded = load_spec(spec)
    assert api.run(loaded).scores == api.run(spec).scores
    for change in ({"seed": 1}, {"data": "digits"}, {"overrides": ["seed=1"]}, {"svm__C": 2}):
        with pytest.raises(SpecError, match="a `Spec` is complete"):
            api.run(loaded, **change)


def test_numbered_folders(spec: dict[str, Any]) -> None:
    assert api.run(spec, out=True).folder == Path("runs/small/1")
    Path("runs/small/7").mkdir()
    assert claim(None, "small") == Path("runs/small/8")
    assert claim(None, "other") == Path("runs/other/1")


def test_runs_at_once_have_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found: list[Path] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(claim(None, "small"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [Path(f"runs/small/{i}") for i in range(1, 9)]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("mine")
    with pytest.raises(SpecError, match=r"has a result\.json that no run wrote; choose another --out"):
        claim(tmp_path, "small")
    assert (tmp_path / "result.json").read_text() == "mine"


@pytest.mark.parametrize("files", [["comparison.json"], ["suite.yaml", "runs/a/result.json"]])
def test_the_folder_of_a_comparison_is_left_alone(tmp_path: Path, files: list[str]) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(SpecError, match="is of a comparison; choose another --out"):
        claim(tmp_path, "small")


def test_a_run_replaces_only_one_of_the_same(spec: dict[str, Any]) -> None:
    api.run(spec, out="out")
    before = Path("out/result.json").stat().st_mtime_ns
    with pytest.raises(
        SpecError, match=r"^out: is of another run \(small\); choose another --out$"
    ) as caught:
        api.run(spec, out="out", seed=1)
    assert caught.value.exit_code == 2
    assert Path("out/result.json").stat().st_mtime_ns == before
    again = api.run({**spec, "name": "other"}, out="out", metrics=["accuracy"])  # the same is computed
    assert json.loads(Path("out/result.json").read_text())["name"] == again.name == "other"
    api.run(spec, out="out", seed=1, replace=True)
    assert load_spec("out/spec.yaml").seed == 1


def test_a_smoke_test_replaces_no_run_on_all_images(spec: dict[str, Any]) -> None:
    for _ in range(2):
        api.run(spec, out="out", smoke=True)
    api.run(spec, out="out")
    said = r"^out: holds a run on all images, and a smoke test would replace it; choose another --out$"
    with pytest.raises(SpecError, match=said):
        api.run(spec, out="out", smoke=True)
    assert json.loads(Path("out/result.json").read_text())["data"]["images"] == 16
    api.run(spec, out="out", smoke=True, replace=True)


def test_a_spec_of_ones_own_is_not_replaced(spec: dict[str, Any]) -> None:
    Path("spec.yaml").write_text("# mine")
    with pytest.raises(SpecError, match=r"has a spec\.yaml that no run wrote; choose another --out"):
        api.run(spec, out=".")
    assert Path("spec.yaml").read_text() == "# mine"


def test_a_run_whose_spec_cannot_be_read_is_another(spec: dict[str, Any]) -> None:
    resolved = load_spec(spec).resolved()
    assert claim("out", "small", resolved) == Path("out")
    Path("out/result.json").touch()
    for damaged in ("data: [", "[]", "\xff"):
        Path("out/spec.yaml").write_bytes(damaged.encode("latin-1"))
        with pytest.raises(SpecError, match="is of another run; choose another --out"):
            claim("out", "small", resolved)


def test_a_run_that_fails_leaves_no_result(spec: dict[str, Any], tmp_path: Path) -> None:
    api.run(spec, out="out")
    (tmp_path / "images" / "cat" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"cat/0\.png"):
        api.run(spec, out="out")
    assert not Path("out/result.json").exists()
    assert "failed: " in Path("out/log.txt").read_text()
    api.run(spec, out="out", overrides=["on_bad_image=skip"])
    assert json.loads(Path("out/result.json").read_text())["skipped"][0]["id"] == "cat/0.png"


def test_progress_is_told_to_its_end(spec: dict[str, Any]) -> None:
    told = Told()
    api.run(spec, progress=told)
    assert told.begun == {"images": 16, "sift": 16, "root_sift": 16, "bag_of_words": 32, "svm": 32}
    assert told.done == told.begun
    assert sorted(told.ended) == sorted(told.begun)
    again = Told()
    api.run(spec, progress=again)
    assert all(again.done.get(name, 0) <= total for name, total in again.begun.items())
    assert sorted(again.ended) == sorted(again.begun)


def test_a_smoke_test_takes_few_images(
    tmp_path: Path, spec: dict[str, Any], class_folders: Callable[..., Path]
) -> None:
    many = class_folders({f"c{i}": 14 for i in range(6)}, tmp_path / "many")
    result = api.run({**spec, "split": {"kfold": 5}}, data=many, smoke=True)
    assert len(result.dataset) == 40
    assert len(result.dataset.classes) == 4
    assert len(result.splits) == 1
    assert result.dataset.note == "smoke test: 40 of 84 images"


def test_a_plan_from_a_spec(spec: dict[str, Any]) -> None:
    plan = api.plan(spec, overrides=["bag_of_words.words=5"], jobs=1)
    assert (plan.images, plan.splits, plan.jobs) == (16, 2, 1)
    assert plan.stages[2].gives == "Features 16 x 5 float32"


def test_objects_that_are_run_otherwise_are_told_how(spec: dict[str, Any]) -> None:
    pipeline, data = cvpipe.Pipeline([Svm()]), cvpipe.load_dataset(spec["data"]["folder"])
    own = (
        r"a spec is a path, a shipped name or a mapping, got a Pipeline: call its own run\(dataset, split=…\)"
    )
    memory = r"data is the name .* got a Dataset: .* `Pipeline\.from_yaml\(spec\)\.run\(dataset, split=…\)`"
    calls: list[tuple[str, Callable[[], Any]]] = [
        (own, lambda: api.run(pipeline)),  # type: ignore[arg-type]
        (own, lambda: cvpipe.compare([pipeline, spec])),  # type: ignore[list-item]
        (own, lambda: cvpipe.compare(pipeline)),  # type: ignore[arg-type]
        (memory, lambda: api.run(spec, data=data)),  # type: ignore[arg-type]
        (memory, lambda: cvpipe.compare([spec, spec], data=data)),  # type: ignore[arg-type]
        ("got a list", lambda: api.run([spec])),  # type: ignore[arg-type]
        ("'small' alone cannot be compared", lambda: cvpipe.compare(spec)),  # type: ignore[arg-type]
    ]
    for said, call in calls:
        with pytest.raises(SpecError, match=said):
            call()


def test_options_may_be_stages_and_numbers_of_numpy(spec: dict[str, Any]) -> None:
    options: dict[str, Any] = {"svm": Svm(C=2), "bag_of_words__words": np.int64(3), "seed": np.int64(4)}
    resolved = api.run(spec, **options).spec
    assert resolved["stages"][3]["svm"]["C"] == 2
    assert resolved["stages"][2]["bag_of_words"]["words"] == 3
    assert resolved["seed"] == 4
    assert load_spec({**spec, "stages": ["raw_pixels", {"svm": {"C": np.float32(2)}}]}).stages[1].C == 2  # type: ignore[attr-defined]
    with pytest.raises(SpecError, match="svm takes options of stage 'svm', got stage 'knn'"):
        api.run(spec, svm=Knn())
    with pytest.raises(SpecError, match=r"svm__C: .*, of type object, cannot be written into a spec"):
        api.run(spec, svm__C=object())
