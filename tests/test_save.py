"""A fitted pipeline as a folder of data, and back."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from toys import striped

import cvpipe
from cvpipe import Pipeline, registry
from cvpipe.data import Features, Images, Predictions
from cvpipe.errors import DataError, NotFitted, RunError, SpecError
from cvpipe.stage import Classifier, Stage
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def fitted() -> Pipeline:
    data = striped(40, side=32)
    stages = [Sift(max_keypoints=30), RootSift(), BagOfWords(words=4), Svm(kernel="chi2", C=3)]
    return Pipeline(stages, seed=3).fit(data.images, data.labels)


def test_a_loaded_pipeline_predicts_bit_for_bit(fitted: Pipeline, tmp_path: Path) -> None:
    new = striped(50, side=36, seed=9).images
    fitted.save(tmp_path / "deep" / "model")
    loaded = cvpipe.load(tmp_path / "deep" / "model")
    np.testing.assert_array_equal(loaded.decision_function(new), fitted.decision_function(new))
    np.testing.assert_array_equal(loaded.predict(new), fitted.predict(new))
    assert loaded.classes_.tolist() == fitted.classes_.tolist()
    assert loaded.seed == 3
    assert loaded.get_params()["svm__C"] == 3
    assert loaded.stages[2].seed == fitted.fitted[2].seed is not None  # type: ignore[attr-defined]
    loaded.save(str(tmp_path / "again"))
    np.testing.assert_array_equal(
        cvpipe.load(tmp_path / "again").decision_function(new), fitted.decision_function(new)
    )


def test_a_model_is_json_and_arrays(fitted: Pipeline, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "02_bag_of_words.safetensors", "03_svm.safetensors", "model.json", "probe.safetensors"
    ]  # fmt: skip
    head = json.loads((tmp_path / "model" / "model.json").read_text())
    assert [stage["name"] for stage in head["stages"]] == ["sift", "root_sift", "bag_of_words", "svm"]
    assert head["classes"] == ["across", "down", "grain"]
    assert sum(path.stat().st_size for path in (tmp_path / "model").iterdir()) < 200_000
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("cache", "model")] == []


def test_loading_imports_neither_sklearn_nor_torch(fitted: Pipeline, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    code = (
        "import sys, numpy as np, cvpipe\n"
        f"p = cvpipe.load({str(tmp_path / 'model')!r})\n"
        "print(p.predict([np.zeros((30, 30, 3), np.uint8)]))\n"
        "print([m for m in ('sklearn', 'torch', 'matplotlib', 'pydantic', 'skimage', 'pickle5') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_saving_over_a_model_replaces_it(fitted: Pipeline, tmp_path: Path) -> None:
    place = tmp_path / "model"
    fitted.save(place)
    data = striped(30, side=32)
    other = Pipeline([Sift(), BagOfWords(words=3), Svm()]).fit(data.images, data.labels)
    other.save(place)
    assert sorted(path.name for path in place.iterdir()) == [
        "01_bag_of_words.safetensors", "02_svm.safetensors", "model.json", "probe.safetensors"
    ]  # fmt: skip
    np.testing.assert_array_equal(cvpipe.load(place).predict(data.images), other.predict(data.images))
    assert {path.name for path in tmp_path.iterdir()} == {"cache", "model"}
    (tmp_path / "empty").mkdir()
    other.save(tmp_path / "empty")
    assert (tmp_path / "empty" / "model.json").exists()


def test_nothing_else_is_written_over(fitted: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("dear")
    with pytest.raises(RunError, match=r"photos: is not a model and is not empty; choose another place"):
        fitted.save(tmp_path / "photos")
    (tmp_path / "file").write_text("dear")
    with pytest.raises(RunError, match=r"file: is not a model"):
        fitted.save(tmp_path / "file")
    fitted.save(tmp_path / "model")
    (tmp_path / "model" / "notes.txt").write_text("dear")
    with pytest.raises(RunError, match=r"model: holds 'notes\.txt', which is no part of a model"):
        fitted.save(tmp_path / "model")
    for name in ("photos/cat.jpg", "file", "model/notes.txt"):
        assert (tmp_path / name).read_text() == "dear"
    assert not list(tmp_path.glob(".*"))


def test_an_unfitted_pipeline_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFitted):
        Pipeline([Sift(), BagOfWords(), Svm()]).save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_stage_that_computes_something_else_is_noticed(
    fitted: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted.save(tmp_path / "model")
    transform = BagOfWords.transform
    monkeypatch.setattr(
        BagOfWords, "transform", lambda self, batch: Features(values=transform(self, batch).values[:, ::-1])
    )
    with pytest.raises(DataError, match="the model gives other scores here than when it was saved"):
        cvpipe.load(tmp_path / "model")
    from cvpipe.conductor.load import load

    assert load(tmp_path / "model", probe=False).seed == 3
    monkeypatch.setattr(Sift, "transform", lambda self, images: 1 / 0)
    with pytest.raises(DataError, match=r"the model cannot be used: .*ZeroDivisionError"):
        cvpipe.load(tmp_path / "model")


class Odd(Classifier):
    """Learns what is no array."""

    part: Stage | None = None  # a part

    word_: str
    count_: int
    nothing_: None
    names_: list[str]
    matrix_: np.ndarray

    def fit(self, features: Images, labels: np.ndarray | None = None) -> Self:  # type: ignore[override]
        self.classes_ = np.unique(np.asarray(labels))
        self.word_, self.count_, self.nothing_, self.names_ = "ü", 7, None, ["a", "b"]
        self.matrix_ = np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3))
        return self

    def predict(self, features: Images) -> Predictions:  # type: ignore[override]
        means = np.array([image.mean() for image in features], np.float32)
        return Predictions(
            scores=means[:, None] * np.arange(len(self.classes_), dtype=np.float32), classes=self.classes_
        )


ODD = {"odd": [EntryPoint("odd", f"{__name__}:Odd", "cvpipe.stages")]}


@pytest.mark.parametrize("labels", [["a", "b", "ü"], [3, 1, 2]])
def test_words_numbers_and_parts_are_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: list[Any]
) -> None:
    monkeypatch.setattr(registry, "_plugins", lambda: ODD)
    images = striped(3).images
    pipeline = Pipeline([Odd(part=BagOfWords(words=9))]).fit(images, labels)
    pipeline.save(tmp_path / "model")
    loaded = cvpipe.load(tmp_path / "model")
    state = loaded.fitted[0].state()  # type: ignore[attr-defined]
    assert [state[name] for name in ("word_", "count_", "nothing_", "names_")] == ["ü", 7, None, ["a", "b"]]
    assert state["matrix_"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert loaded.get_params()["odd"].part.words == 9
    assert loaded.predict(images).tolist() == pipeline.predict(images).tolist()
    assert loaded.classes_.dtype == pipeline.classes_.dtype


def test_a_stage_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline([Odd()]).fit(striped(3).images, ["a", "b", "a"])
    with monkeypatch.context() as installed:
        installed.setattr(registry, "_plugins", lambda: ODD)
        pipeline.save(tmp_path / "model")
    with pytest.raises(DataError, match="the model cannot be used: unknown stage 'odd'"):
        cvpipe.load(tmp_path / "model")


def test_what_could_not_be_loaded_is_not_saved(tmp_path: Path) -> None:
    pipeline = Pipeline([Odd(part=type("Mine", (BagOfWords,), {"__module__": "__main__"})())])
    pipeline.fit(striped(3).images, ["a", "b", "a"])
    with pytest.raises(SpecError) as caught:
        pipeline.save(tmp_path / "model")
    first, second = str(caught.value).splitlines()
    assert first == (
        f"{tmp_path / 'model'}: the model could not be loaded again, for stage 'odd' is not registered; a package "
        'registers it with the entry point `odd = "test_save:Odd"` in the group `cvpipe.stages`'
    )
    assert '`mine = "package.module:Mine"`' in second
    assert not (tmp_path / "model").exists()


def test_a_word_that_stands_for_another_class_is_not_saved(fitted: Pipeline, tmp_path: Path) -> None:
    mine = type("RootSift", (RootSift,), {"__module__": "my_stages"})
    fitted.fitted_[1].stage.__class__ = mine
    with pytest.raises(SpecError, match=r"'root_sift' stands for another class than my_stages\.RootSift"):
        fitted.save(tmp_path / "model")
    mine.__module__ = RootSift.__module__  # as it was before its module was loaded again
    fitted.save(tmp_path / "model")
    assert (tmp_path / "model" / "model.json").exists()
