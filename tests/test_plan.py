"""What a run would do and cost, before it does it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest
from cvpipe_cli.plan import print_plan
from toys import Centre, Centroid, Sampled, Slopes, Spots, striped, stripes

from cvpipe import Pipeline
from cvpipe.conductor import trial
from cvpipe.conductor.plan import Plan, make_plan
from cvpipe.data import Dataset, Features, Images
from cvpipe.errors import DataError, RunError, SpecError
from cvpipe.splits.kinds import KFold
from cvpipe.stage import Learner, Stage
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.filters.kmeans_filters import KmeansFilters
from cvpipe.stages.patches.random_patches import RandomPatches

SPLIT = KFold(kfold=3)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def words(data: Dataset, **changes: object) -> Plan:
    stages: list[Stage] = [Sift(max_keypoints=40), RootSift(), BagOfWords(words=6), Svm()]
    return make_plan(Pipeline(stages, jobs=2).set_params(**changes), data, SPLIT)


def test_shapes_and_numbers_of_a_plan() -> None:
    plan = words(striped(70, side=40))
    assert (plan.images, plan.splits, plan.jobs) == (70, 3, 2)
    assert [stage.name for stage in plan.stages] == ["sift", "root_sift", "bag_of_words", "svm"]
    assert plan.stages[0].takes == "Images 70 x 40 x 40 x 3 uint8"
    assert plan.stages[0].gives.startswith("Descriptors 70 images, ")
    assert plan.stages[0].gives.endswith(" x 128 uint8")
    assert plan.stages[1].takes == plan.stages[0].gives
    assert plan.stages[2].gives == "Features 70 x 6 float32"
    assert plan.stages[3].gives == "Predictions 70 x 3 float32"
    for stage in plan.stages:
        assert stage.cached == 0
        assert stage.transform_s > 0
        assert stage.memory_mb > 0
        assert (stage.fit_s or 0) > 0 or stage.name in ("sift", "root_sift")
    # The disk holds descriptors once, and the histograms of every split; what is not kept takes none.
    assert [stage.disk_mb > 0 for stage in plan.stages] == [True, False, True, False]
    assert plan.stages[2].disk_mb == pytest.approx(3 * 70 * 6 * 4 / 1e6)
    assert plan.total_s > sum((stage.fit_s or 0) + stage.transform_s for stage in plan.stages)
    assert plan.summary()["stages"][0]["name"] == "sift"


def test_all_classes_are_planned_for() -> None:
    """More classes than probe images."""
    pictures, _ = stripes(60)
    data = Dataset("many", Images.from_arrays(pictures), np.array([f"c{i % 20:02d}" for i in range(60)]))
    plan = make_plan(Pipeline([Slopes(), Centroid()]), data, SPLIT)
    assert plan.stages[-1].gives == "Predictions 60 x 20 float32"
    assert plan.stages[-1].fit_s is not None


def test_cached_shares_follow_a_run(cache: Path) -> None:
    data = striped(70, side=40)
    stages: list[Stage] = [Sift(max_keypoints=40), RootSift(), BagOfWords(words=6), Svm()]
    Pipeline(stages).run(data, split=SPLIT)
    plan = words(data)
    assert [stage.cached for stage in plan.stages] == [1, 1, 1, 1]
    assert plan.total_s == pytest.approx(0)
    assert plan.disk_mb == 0
    assert [stage.cached for stage in words(data, svm__C=7.0).stages] == [1, 1, 1, 0]
    assert [stage.cached for stage in words(data, bag_of_words__words=7).stages] == [1, 0, 0, 0]
    assert [stage.cached for stage in words(data, sift__max_keypoints=9).stages] == [0, 0, 0, 0]
    assert [stage.cached for stage in words(data, cache=False).stages] == [0, 0, 0, 0]
    (entry,) = [path for path in cache.rglob("*.safetensors") if path.stat().st_size == largest(cache)]
    entry.unlink()
    assert words(data).stages[0].cached == pytest.approx(2 / 3)


def largest(cache: Path) -> int:
    return max(path.stat().st_size for path in cache.rglob("*.safetensors"))


def test_planning_leaves_no_trace(cache: Path) -> None:
    data = striped(40, side=32)
    pipeline = Pipeline([Sift(), RootSift(), BagOfWords(words=4), Svm()])
    before = pipeline.get_params()
    make_plan(pipeline, data, SPLIT)
    assert pipeline.get_params() == before
    assert not hasattr(pipeline, "fitted_")
    assert not hasattr(pipeline.stages[2], "vocabulary_")
    assert not cache.exists()
    fresh = Pipeline([Sift(), RootSift(), BagOfWords(words=4), Svm()]).run(data, split=SPLIT)
    assert pipeline.run(data, split=SPLIT).scores == fresh.scores


class Picky(Learner):
    """Needs more than the probes have."""

    mean_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        if len(features) < 1000:
            raise ValueError("too few")
        return self

    def transform(self, features: Features) -> Features:
        return features


def test_too_few_probes_leave_question_marks() -> None:
    plan = make_plan(Pipeline([Slopes(), Picky(), Centroid()]), striped(40), SPLIT)
    assert [stage.fit_s for stage in plan.stages] == [0, None, None]
    assert [stage.gives for stage in plan.stages] == ["Features 40 x 3 float32", "Features", "Predictions"]
    assert plan.total_s > 0


def test_a_plan_says_why_there_are_question_marks() -> None:
    plan = make_plan(Pipeline([Slopes(), Picky(), Centroid()]), striped(40), SPLIT)
    assert [stage.doubt for stage in plan.stages] == ["", "picky cannot be tried on 12 images: too few", ""]
    assert not any(stage.doubt for stage in words(striped(40, side=40)).stages)


@pytest.mark.parametrize(
    ("stages", "first", "why"),
    [
        ([KmeansFilters(patches=RandomPatches(size=9)), Centroid()], "kmeans_filters", "found no patches"),
        ([DenseSift(bin_sizes=(4,)), BagOfWords(words=4), Svm()], "bag_of_words", "have no descriptors"),
    ],
    ids=["patches", "descriptors"],
)
def test_images_smaller_than_a_patch_are_told_as_a_run_tells_them(
    stages: list[Stage], first: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = striped(20, side=8)
    with pytest.raises(RunError, match=why) as failed:
        Pipeline(stages).run(data, split=SPLIT)
    plan = make_plan(Pipeline(stages), data, SPLIT)
    found = f"{first} finds nothing to learn from in the 12 images that were tried"
    said = f"{found}; if the others have no more, a run fails: {failed.value.problems[0].message}"
    assert [stage.doubt for stage in plan.stages if stage.doubt] == [said]
    print_plan(plan)
    assert said in capsys.readouterr().out.splitlines()


def test_few_images_are_enough_for_a_plan() -> None:
    data = striped(6)
    plan = make_plan(Pipeline([Spots(), Sampled(rows=1000), Centroid()]), data, KFold(kfold=2))
    assert plan.stages[0].gives == "Descriptors 6 images, 100 x 2 float32"
    assert plan.stages[1].fit_s is not None


def test_a_plan_refuses_what_a_run_refuses() -> None:
    with pytest.raises(SpecError, match="takes Features, but 'sift' gives Descriptors"):
        make_plan(Pipeline([Sift(), Svm()]), striped(10), SPLIT)
    with pytest.raises(DataError, match="fewer than the 3 folds"):
        make_plan(Pipeline([Slopes(), Centroid()]), striped(6), SPLIT)


class Slow(Learner):
    """Its cost is counted, not timed: `clock` moves by n ** power; the first call takes a second more."""

    power: float = 2.0  # growth with the rows

    clock: ClassVar[list[float]] = [0.0]
    calls: ClassVar[list[int]] = []

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        self.calls.append(len(features))
        self.clock[0] += 1e-6 * len(features) ** self.power + (len(self.calls) == 1)
        return self

    def transform(self, features: Features) -> Features:
        self.clock[0] += 0.01 * len(features) + 0.5 * (len(features) == 1)
        return features


@pytest.mark.parametrize("power", [1.0, 2.0, 3.0])
def test_fits_that_grow_faster_than_the_probes_are_foreseen(
    monkeypatch: pytest.MonkeyPatch, power: float
) -> None:
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(trial.time, clock, lambda: Slow.clock[0])
    Slow.calls.clear()
    batch = Features(values=np.random.default_rng(0).random((12, 2), dtype=np.float32))
    labels = np.array(["a", "b"] * 6)
    cost, _ = trial.fit(Slow(power=power), batch, labels, np.unique(labels), 10_000, jobs=1)
    assert cost is not None
    assert cost.each_s == pytest.approx(1e-6 * 10_000**power, rel=1e-3)
    assert cost.first_s == pytest.approx(1.0)
    assert cost.of(5) == pytest.approx(5 * cost.each_s + 1)
    assert cost.of(0) == 0
    assert max(Slow.calls) == trial.VECTORS


def test_what_the_first_call_takes_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for clock in ("perf_counter", "process_time"):
        monkeypatch.setattr(trial.time, clock, lambda: Slow.clock[0])
    batch = Features(values=np.zeros((12, 2), np.float32))
    _, cost = trial.transform(Slow(), batch)
    assert cost.each_s == pytest.approx(0.01)
    assert cost.first_s == pytest.approx(0.5)


class Both(Centre):
    seen: ClassVar[list[set[str]]] = []

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Self:
        assert labels is not None
        self.seen.append(set(labels.tolist()))
        return super().fit(features, labels)


def test_every_trial_sees_every_class() -> None:
    Both.seen.clear()
    batch = Features(values=np.random.default_rng(0).random((12, 3), dtype=np.float32))
    labels = np.array(["a", "b"] * 6)
    trial.fit(Both(), batch, labels, np.unique(labels), 500, jobs=1)
    assert Both.seen == [{"a", "b"}] * 3
