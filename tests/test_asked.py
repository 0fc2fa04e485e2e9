"""What is asked for in Python: refused before anything is read or trained, in words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
from toys import striped

import cvpipe
from cvpipe.data import Dataset, Features, Images, as_images
from cvpipe.errors import CvpipeError, DataError, RunError, SpecError
from cvpipe.stage import Learner
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.features.hog import Hog
from cvpipe.stages.features.join import Join
from cvpipe.stages.features.raw_pixels import RawPixels

DATA = striped(12)


def pipeline(**options: Any) -> cvpipe.Pipeline:
    return cvpipe.Pipeline([RawPixels(size=4), Svm()], **options)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("count", [1, 3, 4, 5])
@pytest.mark.parametrize("dtype", [str, object])
def test_arrays_of_any_number_of_paths(count: int, dtype: type) -> None:
    paths = np.array([f"{i}.png" for i in range(count)], dtype)
    assert as_images(paths).ids == paths.tolist()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Images.from_files("abc.jpg"), "a list, also of one path"),
        (lambda: Images.from_arrays(np.zeros((9, 9, 3), np.uint8)), r"an array of shape \(9, 9, 3\)"),
        (lambda: Images.from_arrays(np.zeros((9, 9), np.uint8)), "also of one image"),
        (lambda: as_images(None), "a list of paths or arrays, got null"),
    ],
)
def test_one_image_is_no_list(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(RunError, match=said):
        make()


def test_paths_may_come_one_by_one() -> None:
    assert Images.from_files(Path(name) for name in ("a.png", "b.png")).ids == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.array(["a", np.nan] * 6, object), r"labels\[1\] is nan, while others are text"),
        (["a", None] * 6, r"labels\[1\] is null"),
        ([0.0, 1.0, np.nan, 1.0] * 3, r"labels\[2\] is nan: each image has to have one"),
        (np.zeros((12, 1)), r"got an array of shape \(12, 1\)"),
        ([b"a", b"b"] * 6, "labels are text or numbers"),
        (None, "one for each image, got null"),
        ("abcabcabcabc", "one for each image, got 'abc"),
    ],
)
def test_labels_that_are_none(labels: Any, said: str) -> None:
    for call in (lambda: Dataset("d", DATA.images, labels), lambda: pipeline().fit(DATA.images, labels)):
        with pytest.raises(DataError, match=said):
            call()


def test_labels_of_objects_are_what_they_hold() -> None:
    words = Dataset("d", DATA.images, np.array(["a", np.str_("b")] * 6, object))
    assert words.labels.dtype.kind == "U"
    assert Dataset("d", DATA.images, np.array([1, 2] * 6, object)).labels.dtype.kind == "i"
    with pytest.raises(DataError, match=r"groups\[1\] is null"):
        Dataset("d", DATA.images, DATA.labels, groups=["a", None] * 6)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metrics": ["acc"]}, "unknown metric 'acc'"),
        ({"metrics": "accuracy"}, "metrics are a list"),
        ({"metrics": None}, "metrics are a list"),
        ({"split": {"holdout": 0.5, "kfold": 3}}, "got 'holdout' and 'kfold'"),
    ],
)
def test_a_run_is_refused_before_it_trains(options: Any, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Svm, "fit", lambda *given: pytest.fail("it has trained"))
    with pytest.raises(SpecError, match=said):
        pipeline().run(DATA, **options)


def test_seeds_of_numpy_are_seeds() -> None:
    plain, other = (pipeline(seed=seed).run(DATA, split={"kfold": 2}) for seed in (3, np.int64(3)))
    assert type(other.seed) is int
    assert plain.scores == other.scores
    pipeline(seed=np.int64(3)).fit(DATA.images, DATA.labels)


@pytest.mark.parametrize(
    "options",
    [
        {"train_sizes": [5.5]},
        {"train_sizes": [0]},
        {"train_sizes": "5"},
        {"train_sizes": 5},
        {"repeats": 0},
        {"overrides": "svm.C=2"},
    ],
)
def test_a_comparison_is_refused_before_it_begins(options: Any) -> None:
    with pytest.raises(SpecError, match=next(iter(options))):
        cvpipe.compare(["lbp_svm", "hog_svm"], data="textures", **options)
    assert not Path("comparisons").exists()


def test_probabilities_are_those_of_the_fitted_classifier() -> None:
    fitted = pipeline().fit(DATA.images, DATA.labels).set_params(svm__probability=True)
    assert not hasattr(fitted, "predict_proba")
    assert hasattr(fitted.fit(DATA.images, DATA.labels), "predict_proba")


def test_options_of_a_loaded_pipeline_count_when_it_is_fitted_again() -> None:
    made = cvpipe.Pipeline([RawPixels(size=4), Knn(k=1)]).fit(DATA.images, DATA.labels)
    made.save("model")
    loaded = cvpipe.load("model")
    before = loaded.predictions(DATA.images).scores
    loaded.set_params(knn__k=9)
    np.testing.assert_array_equal(loaded.predictions(DATA.images).scores, before)
    assert (loaded.fit(DATA.images, DATA.labels).predictions(DATA.images).scores != before).any()


class Forgetful(Learner):
    """It learns what it does not declare."""

    offset = 0.0
    learned_name: str = "offset"

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        setattr(self, self.learned_name, features.values.mean(0))
        return self

    def transform(self, features: Features) -> Features:
        return Features(values=features.values - self.offset)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "offset",
            "fit sets 'offset', which would be lost: declare it in the class, as `offset_: np.ndarray`",
        ),
        ("mean_", "as `mean_: np.ndarray`"),
        ("learned_name", "fit changes the option 'learned_name'; what is learned has names of its own"),
    ],
)
def test_what_a_stage_learns_has_to_be_declared(name: str, said: str) -> None:
    stages = [RawPixels(size=4), Forgetful(learned_name=name), Svm()]
    with pytest.raises(RunError) as caught:
        cvpipe.Pipeline(stages).run(DATA, split={"kfold": 2})
    assert said in str(caught.value)


def test_arrays_of_a_batch_are_arrays() -> None:
    for values in ([[1.0]], np.array([["a", None]], object)):
        with pytest.raises(RunError, match="values must be an array of numbers"):
            Features(values=values)  # type: ignore[arg-type]


def test_branches_are_lists_of_stages() -> None:
    with pytest.raises(SpecError, match="is a list of lists of stages, but one is hog"):
        cvpipe.Pipeline([Join(branches=(Hog(), RawPixels())), Svm()]).check()  # type: ignore[arg-type]


def test_the_home_folder_is_meant_by_its_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    pipeline().fit(DATA.images, DATA.labels).save("~/models/one")
    assert cvpipe.load("~/models/one").predict(DATA.images).shape == (12,)
    assert not Path("~").exists()
    with pytest.raises(RunError, match="a folder of its own"):
        pipeline().fit(DATA.images, DATA.labels).save("")


def test_a_section_has_no_index() -> None:
    for text in ("seed[5]=4", "split[3].kfold=4"):
        with pytest.raises(CvpipeError, match="is no stage, and has no"):
            cvpipe.load_spec("lbp_svm", [text])


SCRIPT = '''
from __future__ import annotations
import numpy as np
def make():
    from cvpipe.data import Features, Images
    from cvpipe.stage import Stage
    class Mean(Stage):
        """The mean."""
        power: float = 1.0  # of it
        def transform(self, images: Images) -> Features:
            return Features(values=np.array([[image.mean()] for image in images], np.float32))
    return Mean
from cvpipe import Pipeline
from cvpipe.stages.classifiers.svm import Svm
Pipeline([make()(), Svm()]).check()
'''


def test_annotations_may_be_text_whose_names_are_gone() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
