"""A pipeline in Python, and among scikit-learn's tools."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toys
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted
from toys import CLASSES, Centre, Centroid, Slopes, striped, stripes

from cvpipe import Pipeline, registry
from cvpipe.conductor.edges import takes
from cvpipe.data import Dataset, Features, Images
from cvpipe.errors import DataError, NotFitted, RunError, SpecError
from cvpipe.splits.kinds import KFold
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers.ensemble import Ensemble
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.raw_pixels import RawPixels


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    toys.forget()
    yield
    toys.forget()


def plain() -> Pipeline:
    return Pipeline([Slopes(), Centre(), Centroid()])


def words() -> Pipeline:
    return Pipeline([Sift(max_keypoints=30), RootSift(), BagOfWords(words=4), Svm(kernel="chi2")], jobs=1)


class CountingItem:
    """An image that notes in a file when it is decoded, in whichever process that is."""

    def __init__(self, pixels: np.ndarray, log: Path) -> None:
        self.pixels, self.log = pixels, log

    def read(self) -> np.ndarray:
        with open(self.log, "a") as file:
            file.write(".")
        return self.pixels

    def token(self) -> str:
        return str(self.pixels.tobytes().hex())


def counted(count: int, tmp_path: Path, side: int = 32) -> tuple[Images, np.ndarray, Path]:
    """Images, labels and the file that has one dot for each time an image was decoded."""
    log = tmp_path / "decoded"
    log.touch()
    pictures, labels = stripes(count, side)
    return Images([f"i{i}" for i in range(count)], [CountingItem(p, log) for p in pictures]), labels, log


def test_fit_and_predict() -> None:
    pictures, labels = stripes(70)
    images = Images.from_arrays(pictures)
    pipeline = plain()
    assert pipeline.fit(images[:40], labels[:40]) is pipeline
    assert pipeline.score(images[40:], labels[40:]) == 1.0
    assert pipeline.classes_.tolist() == list(CLASSES)
    found = pipeline.predictions(images)
    np.testing.assert_array_equal(found.labels, pipeline.predict(images))
    np.testing.assert_array_equal(found.scores, pipeline.decision_function(images))
    np.testing.assert_array_equal(pipeline.predict(pictures[:5]), found.labels[:5])
    assert len(pipeline.predict(images[:0])) == 0
    assert pipeline.decision_function([]).shape == (0, 3)


@pytest.mark.parametrize(
    "names",
    [np.array([7, 3, 5]), np.array(["a", "b", "c"]), np.array([0, 1, 2], np.int32), np.array([1.5, 2, 3])],
)
def test_labels_come_back_as_they_were_given(names: np.ndarray) -> None:
    """Also after one of another type was fitted: digits are no numbers."""
    pictures, labels = stripes(30)
    given = names[np.searchsorted(CLASSES, labels)]
    texts = given.astype(str)
    assert plain().fit(pictures, texts).predict(pictures).tolist() == texts.tolist()
    found = plain().fit(pictures, given).predict(pictures)
    assert found.dtype.kind == given.dtype.kind
    np.testing.assert_array_equal(found, given)
    assert plain().fit(pictures, given.tolist()).predict(pictures).tolist() == given.tolist()


def test_an_unfitted_pipeline_says_so() -> None:
    with pytest.raises(NotFitted, match="the pipeline is not fitted: call fit or run first"):
        plain().predict(striped(3).images)
    assert not hasattr(plain(), "classes_")


@pytest.mark.parametrize(
    ("stages", "said"),
    [
        ([RawPixels, Svm()], "stage 1 is the class RawPixels: write RawPixels()"),
        (
            [RawPixels(), "svm"],
            "stage 2 is a word, 'svm': a pipeline in Python takes objects, a spec takes words",
        ),
        ([RawPixels(), SVC()], "stage 2 is no stage, but of type SVC: SVC()"),
        (Svm(), r"a pipeline takes a list of stages, got Svm\("),
        ("pixels_knn", "a pipeline takes a list of stages, got 'pixels_knn'"),
    ],
)
def test_what_is_no_stage_is_told(stages: Any, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        Pipeline(stages).check()
    with pytest.raises(SpecError, match=said):
        Pipeline(stages).fit(*stripes(6))


def test_what_is_no_list_of_images_is_told() -> None:
    pictures, labels = stripes(12)
    pipeline = plain().fit(pictures, labels)
    for work in (pipeline.predict, lambda images: pipeline.score(images, labels)):
        with pytest.raises(RunError, match=r"images must be a list, also of one path: \['new\.jpg'\]"):
            work("new.jpg")
        with pytest.raises(RunError, match="images must be a list, also of one path"):
            work(Path("new.jpg"))
    with pytest.raises(RunError, match=r"also of one image: got an array of shape \(16, 16, 3\)"):
        pipeline.predict(pictures[0])
    assert (
        len(pipeline.predict(np.stack(pictures))) == len(pipeline.predict(np.stack(pictures)[..., 0])) == 12
    )


def test_a_run_takes_a_data_set() -> None:
    with pytest.raises(SpecError, match=r"a pipeline runs on a `Dataset`, such as .* gives, .*; got a str"):
        plain().run("textures")  # type: ignore[arg-type]


def test_a_data_set_of_lists() -> None:
    pictures, labels = stripes(30)
    want = Dataset("stripes", Images.from_arrays(pictures), labels)
    for images in (pictures, np.stack(pictures)):
        data = Dataset("stripes", images, labels.tolist(), groups=[str(i) for i in range(30)])  # type: ignore[arg-type]
        assert data.classes.tolist() == list(CLASSES)
        assert data[labels == "down"].groups.tolist() == [str(i) for i in np.flatnonzero(labels == "down")]
        found = plain().run(data, split={"kfold": 2})
        assert found.fingerprint == plain().run(want, split={"kfold": 2}).fingerprint


def test_what_cannot_be_fitted() -> None:
    images = striped(6).images
    with pytest.raises(DataError, match="5 labels for 6 images"):
        plain().fit(images, ["a"] * 5)
    with pytest.raises(RunError, match=r"images must be `Images`, or a list of paths"):
        plain().fit([1, 2], ["a", "b"])
    with pytest.raises(DataError, match=r"no\.png: no such file"):
        plain().fit(["no.png", "nor.png"], ["a", "b"])
    with pytest.raises(SpecError, match="must be a whole number of at least 1, got 0"):
        Pipeline([Sift(), BagOfWords(words=0), Svm()]).fit(images, ["a", "b"] * 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"on_bad_image": "skipp"},
            "on_bad_image must be one of fail or skip, got 'skipp' (did you mean 'skip'?)",
        ),
        ({"device": "gpu"}, "device must be one of auto, cpu or cuda, got 'gpu'"),
        (
            {"device": "cuda:0"},
            "device must be one of auto, cpu or cuda, got 'cuda:0' (did you mean 'cuda'?)",
        ),
    ],
)
def test_a_run_refuses_words_that_it_does_not_know(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        plain().run(striped(20), split={"kfold": 2}, **options)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"kfold": 1}, "split 'kfold' must be a whole number of at least 2, got 1"),
        ({"kfold": 2.5}, "split 'kfold' must be a whole number of at least 2, got 2.5"),
        ({"kfold": "a"}, "split 'kfold' must be a whole number of at least 2, got 'a'"),
        (KFold(kfold=1), "split 'kfold' must be a whole number of at least 2, got 1"),
        (
            {"kfold": 3, "repeats": 0},
            "option 'repeats' of split 'kfold' must be a whole number of at least 1, got 0",
        ),
        (
            {"kfold": 3, "stratified": "no"},
            "option 'stratified' of split 'kfold' must be true or false, got 'no'",
        ),
        ({5: 1}, "a split is one of kfold, holdout, per_class, given or file, got {5: 1}"),
        ({}, "a split is one of kfold, holdout, per_class, given or file, got {}"),
        (
            "kfold",
            "a split is one of kfold, holdout, per_class, given or file, such as {'kfold': 5}, got 'kfold'",
        ),
    ],
)
def test_a_run_refuses_values_of_a_split_as_a_spec_does(split: Any, said: str) -> None:
    with pytest.raises(SpecError, match=f"^{re.escape(said)}$"):
        plain().run(striped(20), split=split)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number of at least 0, got 1.5"),
        ({"jobs": 0}, "jobs must be a whole number other than 0, -1 is one for each core, got 0"),
        ({"jobs": "two"}, "jobs must be a whole number other than 0, -1 is one for each core, got 'two'"),
    ],
)
def test_seeds_and_numbers_of_workers(options: dict[str, Any], said: str) -> None:
    data = striped(20)
    with pytest.raises(SpecError, match=f"^{re.escape(said)}$"):
        plain().run(data, split={"kfold": 2}, **options)
    with pytest.raises(SpecError, match=f"^{re.escape(said)}$"):
        plain().set_params(**options).fit(data.images, data.labels)


def test_a_score_needs_a_label_for_each_image() -> None:
    data = striped(20)
    fitted = plain().fit(data.images, data.labels)
    for labels in (data.labels[:1], data.labels[:7]):
        with pytest.raises(DataError, match="for 20 images"):
            fitted.score(data.images, labels)
    with pytest.raises(DataError, match=r"one for each image, got an array of shape \(20, 1\)"):
        fitted.score(data.images, data.labels[:, None])
    with pytest.raises(DataError, match=r"another kind than those that it learned: \[0\], not \["):
        fitted.score(data.images, np.arange(20))


def test_running_and_fitting_change_nothing() -> None:
    data = striped(40, side=32)
    pipeline = words()
    stages, before = list(pipeline.stages), pipeline.get_params()
    result = pipeline.run(data, split={"kfold": 2}, refit=True)
    pipeline.fit(data.images, data.labels)
    assert pipeline.get_params() == before
    assert all(one is other for one, other in zip(pipeline.stages, stages, strict=True))
    assert not hasattr(stages[2], "vocabulary_")
    assert stages[2].seed is None  # type: ignore[attr-defined]
    assert result.pipeline is not pipeline
    assert not set(map(id, result.pipeline.fitted)) & set(map(id, pipeline.stages))
    assert hasattr(result.pipeline.fitted[2], "vocabulary_")


def test_the_pipeline_of_a_run_is_the_first_splits() -> None:
    data = striped(40, side=32)
    result = words().run(data, split={"kfold": 2})
    first = result.splits[0]
    np.testing.assert_array_equal(
        result.pipeline.predictions(data.images[first.test]).labels, first.predictions.labels
    )
    assert result.trained_on == f"split 0 ({len(first.train)} images)"
    everything = words().run(data, split={"kfold": 2}, refit=True)
    assert everything.trained_on == "all 40 images"
    np.testing.assert_array_equal(
        everything.pipeline.decision_function(data.images),
        words().fit(data.images, data.labels).decision_function(data.images),
    )


def test_the_seed_is_the_runs() -> None:
    data = striped(40, side=32)

    def scores(seed: int) -> np.ndarray:
        return (
            Pipeline(words().stages, seed=seed).fit(data.images, data.labels).decision_function(data.images)
        )

    np.testing.assert_array_equal(scores(1), scores(1))
    assert not np.array_equal(scores(1), scores(2))
    one = words().run(data, split={"kfold": 2}, seed=1)
    assert one.pipeline.seed == one.seed == 1


def test_parameters_by_name() -> None:
    pipeline = words()
    params = pipeline.get_params()
    assert params["bag_of_words__words"] == 4
    assert params["svm"] is pipeline.stages[-1]
    assert set(pipeline.get_params(deep=False)) == {"stages", "seed", "jobs", "cache"}
    pipeline.set_params(bag_of_words__words=9, svm__C=2.0, seed=5)
    assert (pipeline.stages[2].words, pipeline.stages[3].C, pipeline.seed) == (9, 2.0, 5)  # type: ignore[attr-defined]
    other = Svm(kernel="rbf")
    assert pipeline.set_params(svm=other).stages[-1] is other
    twice = Pipeline([RootSift(), RootSift(), Svm()])
    assert {"root_sift", "root_sift_2", "svm"} <= set(twice.get_params())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bag_of_wrods__words", "no stage 'bag_of_wrods' in this pipeline (did you mean 'bag_of_words'?)"),
        ("bag_of_words__wrods", "unknown option 'wrods' of stage 'bag_of_words' (did you mean 'words'?)"),
        ("seeds", "no stage 'seeds' in this pipeline (did you mean 'seed'?)"),
    ],
)
def test_a_wrong_parameter_names_the_nearest(name: str, said: str) -> None:
    with pytest.raises(SpecError) as refused:
        words().set_params(**{name: 1})
    assert str(refused.value) == said


def test_clone_copies_parameters_not_what_was_learned() -> None:
    data = striped(12, side=32)
    pipeline = words().fit(data.images, data.labels)
    copy = clone(pipeline)
    assert isinstance(copy, Pipeline)
    assert not hasattr(copy, "fitted_")
    assert not set(map(id, copy.stages)) & set(map(id, pipeline.stages))
    options = {k: v for k, v in pipeline.get_params().items() if "__" in k}
    assert {k: v for k, v in copy.get_params().items() if "__" in k} == options
    copy.set_params(bag_of_words__words=77)
    assert pipeline.get_params()["bag_of_words__words"] == 4


def test_it_is_a_classifier_to_scikit_learn() -> None:
    assert is_classifier(plain())
    with pytest.raises(Exception, match="not fitted"):
        check_is_fitted(plain())
    data = striped(12)
    check_is_fitted(plain().fit(data.images, data.labels))


def test_a_fitted_pipeline_crosses_a_process_border() -> None:
    data = striped(30)
    pipeline = plain().fit(data.images, data.labels)
    copy = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(
        copy.decision_function(data.images), pipeline.decision_function(data.images)
    )


@pytest.mark.parametrize("scoring", [None, "accuracy", "f1_macro"])
def test_cross_val_score(tmp_path: Path, scoring: Any) -> None:
    images, labels, log = counted(45, tmp_path)
    scores = cross_val_score(plain(), images, labels, cv=3, scoring=scoring, error_score="raise")
    np.testing.assert_allclose(scores, 1.0)
    looks = 3 * (
        30 + 30 + 3 + 15
    )  # the first look, the first stage, the probe; the first stage on the other side
    assert log.stat().st_size == looks
    for train in Centre.fits:
        assert len(train[0]) == 30


def two_classes() -> tuple[Images, np.ndarray]:
    data = striped(48, side=16)
    return data.images, data.labels == CLASSES[0]


def test_two_classes_as_scikit_learn_wants_them() -> None:
    images, truth = two_classes()
    pipeline = Pipeline([RawPixels(size=8), Svm()]).fit(images, truth)
    found, scores = pipeline.decision_function(images), pipeline.predictions(images).scores
    np.testing.assert_array_equal(found, scores[:, 1] - scores[:, 0])
    np.testing.assert_array_equal(found > 0, pipeline.predict(images))
    assert pipeline.decision_function([]).shape == (0,)


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "neg_log_loss"])
def test_scores_of_two_classes_are_judged(scoring: str) -> None:
    pipeline = Pipeline([RawPixels(size=8), Svm(probability=True)])
    assert np.isfinite(cross_val_score(pipeline, *two_classes(), cv=3, scoring=scoring)).all()


def test_probabilities_are_there_where_the_classifier_gives_some() -> None:
    data = striped(45)
    with pytest.raises(
        AttributeError, match="the scores of 'svm' are no probabilities: decision_function gives"
    ):
        Pipeline([RawPixels(size=8), Svm()]).predict_proba  # noqa: B018
    assert not hasattr(Pipeline([]), "predict_proba")
    assert not hasattr(Pipeline([RawPixels(size=8), Ensemble()]), "predict_proba")
    likely = [
        cls for _, cls in registry.stage_classes() if issubclass(cls, Classifier) and Features in takes(cls)
    ]
    stages = [cls(**{"probability": True} if cls is Svm else {}) for cls in likely]
    stages = [stage for stage in [*stages, Ensemble(combine="vote")] if stage.gives_probabilities]
    assert len(stages) == 6
    for stage in stages:
        pipeline = Pipeline([Slopes(), Centre(), stage]).fit(data.images, data.labels)
        found = pipeline.predict_proba(data.images)
        assert found.min() >= 0
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(pipeline.classes_[found.argmax(axis=1)], pipeline.predict(data.images))
    assert np.isfinite(cross_val_score(pipeline, data.images, data.labels, cv=3, scoring="roc_auc_ovr")).all()


def test_splitting_and_indexing_decode_nothing(tmp_path: Path) -> None:
    from sklearn.model_selection import StratifiedKFold, train_test_split
    from sklearn.utils import indexable, resample, shuffle

    images, labels, log = counted(30, tmp_path)
    train, test, _, _ = train_test_split(images, labels, stratify=labels, random_state=0)
    assert (type(train), len(train), len(test)) == (Images, 22, 8)
    for rows, _ in StratifiedKFold(3).split(images, labels):
        assert len(images[rows]) == 20
    indexable(images, labels)
    assert len(shuffle(images, random_state=0)) == len(resample(images, random_state=0)) == 30
    assert len(images[labels == "down"]) == 10
    images[3:5].ids, images[[1, 2]].shape, Images.concat([images, images])
    assert log.stat().st_size == 0
    assert images[3].shape == (32, 32, 3)
    assert log.stat().st_size == 1


def test_grid_search_in_two_processes(tmp_path: Path) -> None:
    images, labels, log = counted(36, tmp_path, side=40)
    grid = {"svm__C": [0.1, 10.0], "bag_of_words__words": [3, 6]}
    search = GridSearchCV(words(), grid, cv=2, n_jobs=2, error_score="raise").fit(images, labels)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.5
    assert set(search.predict(images)) <= set(CLASSES)
    assert search.best_estimator_.get_params()["svm__C"] == search.best_params_["svm__C"]
    # Nine fits and their scores on 36 images decode each image some times, not once for every combination.
    assert log.stat().st_size <= 36 * 12
