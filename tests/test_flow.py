"""The conductor's law: numbers do not depend on workers or the cache; learners see training images only."""

from __future__ import annotations

import dataclasses
import gc
import os
import subprocess
import sys
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import toys
from toys import Centre, Centroid, Sampled, Slopes, Spots, striped

from cvpipe import Pipeline
from cvpipe.conductor.chunks import CHUNK, chunked
from cvpipe.conductor.finite import refuse_not_finite
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.result import RunResult, Worked
from cvpipe.conductor.sample import FEWEST, ROWS_PER_IMAGE, Picks, RowSampler, drawn_images
from cvpipe.data import Dataset, Descriptors, Features, Images, offsets_of
from cvpipe.data.seeds import generator
from cvpipe.errors import DataError, RunError
from cvpipe.stage import Learner, Stage
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords

SPLIT = {"kfold": 3}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    toys.forget()
    yield tmp_path / "cache"
    toys.forget()


def words(**svm: Any) -> list[Stage]:
    return [Sift(max_keypoints=40), RootSift(), BagOfWords(words=6), Svm(kernel="chi2", **svm)]


def same_numbers(got: RunResult, want: RunResult) -> None:
    assert got.scores == want.scores
    for one, other in zip(got.splits, want.splits, strict=True):
        np.testing.assert_array_equal(one.predictions.scores, other.predictions.scores)
        np.testing.assert_array_equal(one.test, other.test)


def test_chunks_do_not_move_with_the_rows() -> None:
    images = striped(70).images
    tokens = [f"t{i}" for i in range(70)]
    rows = np.array([0, 31, 32, 69])
    chunks = chunked(images, tokens, rows)
    assert [chunk.first for chunk in chunks] == [0, 32, 64]
    assert [chunk.images.ids for chunk in chunks] == [images.ids[f : f + CHUNK] for f in (0, 32, 64)]
    assert [chunk.tokens for chunk in chunks] == [tokens[f : f + CHUNK] for f in (0, 32, 64)]
    assert [chunk.wanted.tolist() for chunk in chunks] == [[0, 31], [0], [5]]
    assert [chunk.first for chunk in chunked(images, tokens, np.array([40]))] == [32]
    assert chunked(images, tokens, np.array([], np.int64)) == []


def test_numbers_do_not_depend_on_workers_or_the_cache(cache: Path) -> None:
    data = striped(70, side=40)

    def run(jobs: int, use: bool) -> RunResult:
        return Pipeline(words(), jobs=jobs, cache=use).run(data, split=SPLIT)

    cold = run(1, True)
    assert cold.scores["accuracy"].mean > 0.5
    assert np.std(cold.splits[0].predictions.scores) > 0.1
    same_numbers(run(1, True), cold)  # warm
    same_numbers(run(2, True), cold)
    for jobs in (1, 2, 3):
        same_numbers(run(jobs, False), cold)
    entries = sorted(cache.glob("??/*.safetensors"))
    assert len(entries) > 10
    for entry in entries[::2]:
        entry.unlink()
    same_numbers(run(3, True), cold)  # partly filled
    for entry in sorted(cache.glob("??/*.safetensors"))[::3]:
        entry.write_bytes(entry.read_bytes()[:-1])
    same_numbers(run(2, True), cold)  # partly damaged


def test_only_what_changed_is_computed_again() -> None:
    data = striped(70)

    def run(**changes: Any) -> tuple[RunResult, list[int]]:
        toys.forget()
        stages = [Spots(), Sampled(rows=50), Centre3(), Centroid()]
        result = Pipeline(stages).set_params(**changes).run(data, split=SPLIT)
        return result, [len(Sampled.fits), len(Centroid.fits)]

    first, fits = run()
    assert sorted(Spots.transformed) == list(range(70))  # once for all splits
    assert fits == [3, 3]
    assert [cost.cached for cost in first.stages] == [False, False, False, False]
    again, fits = run()
    assert (Spots.transformed, fits) == ([], [0, 0])
    assert [cost.cached for cost in again.stages[:3]] == [True, True, True]
    same_numbers(again, first)
    other, fits = run(centroid__shift=1.0)
    assert (Spots.transformed, fits) == ([], [0, 3])
    assert [cost.cached for cost in other.stages] == [True, True, True, False]
    other, fits = run(sampled__rows=60)
    assert (Spots.transformed, fits) == ([], [3, 3])
    assert [cost.cached for cost in other.stages] == [True, False, False, False]


class Centre3(Learner):
    """As `Centre`, for two columns."""

    mean_: np.ndarray

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Centre3:
        self.mean_ = features.values.mean(axis=0)
        return self

    def transform(self, features: Features) -> Features:
        return Features(values=features.values - self.mean_)


def test_what_a_fit_took_is_known_when_it_comes_from_the_cache(cache: Path) -> None:
    data = striped(70, side=40)
    cold = Pipeline(words()).run(data, split=SPLIT).stages
    warm = Pipeline(words()).run(data, split=SPLIT).stages
    assert [stage.fit_cost_s for stage in cold] == [stage.fit_s for stage in cold]
    assert [stage.fit_cost_s for stage in warm] == [stage.fit_cost_s for stage in cold]
    assert all(stage.fit_s == 0 for stage in warm)
    assert warm[-1].fit_cost_s


def test_a_changed_classifier_computes_no_sift() -> None:
    data = striped(40, side=40)
    Pipeline(words()).run(data, split=SPLIT)
    other = Pipeline(words(C=3.0)).run(data, split=SPLIT)
    assert [(cost.name, cost.cached) for cost in other.stages] == [
        ("sift", True), ("root_sift", True), ("bag_of_words", True), ("svm", False)
    ]  # fmt: skip
    other = Pipeline([*words()[:2], BagOfWords(words=5), Svm()]).run(data, split=SPLIT)
    assert [cost.cached for cost in other.stages] == [True, False, False, False]


def test_only_training_images_reach_fit() -> None:
    data = striped(70)
    result = Pipeline([Slopes(), Centre(), Centroid()]).run(data, split=SPLIT)
    assert len(Centre.fits) == len(result.splits) == 3
    for (numbers, labels), split in zip(Centre.fits, result.splits, strict=True):
        assert numbers == split.train.tolist()
        assert labels == data.labels[split.train].tolist()
        assert not set(numbers) & set(split.test.tolist())
    assert Centroid.fits == [labels for _, labels in Centre.fits]
    assert sorted(Slopes.transformed) == list(range(70))


def test_sampled_rows_come_from_training_images_and_keep_their_labels() -> None:
    data = striped(70)
    result = Pipeline([Spots(), Sampled(rows=64), Centroid()]).run(data, split=SPLIT)
    for (batch, labels), split in zip(Sampled.fits, result.splits, strict=True):
        owners = [batch.values[batch.rows(i), 0] for i in range(len(batch))]
        seen = np.unique(np.concatenate(owners)).astype(int)
        assert len(seen) > 4
        assert set(seen) <= set(split.train.tolist())
        assert all(len(set(owner)) <= 1 for owner in owners)
        assert all(label == data.labels[int(o[0])] for o, label in zip(owners, labels, strict=True) if len(o))


def test_samples_do_not_depend_on_workers_or_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(jobs: int) -> list[np.ndarray]:
        toys.forget()
        Pipeline([Spots(), Sampled(rows=300), Centroid()], jobs=jobs, cache=False).run(
            striped(70), split=SPLIT
        )
        return [batch.values for batch, _ in Sampled.fits]

    one = drawn(1)
    for jobs, size in ((2, 32), (3, 32), (2, 7), (1, 100)):
        monkeypatch.setattr("cvpipe.conductor.chunks.CHUNK", size)
        for got, want in zip(drawn(jobs), one, strict=True):
            np.testing.assert_array_equal(got, want)


def descriptors(counts: list[int]) -> Descriptors:
    rows = np.arange(sum(counts), dtype=np.float32)
    places = np.stack([rows, rows], axis=1)
    size = np.zeros((len(counts), 2), np.int32)
    return Descriptors(offsets=offsets_of(counts), values=rows[:, None], xy=places, scale=rows, size=size)


def share(counts: list[int], rows: int, seed: int | None = 0, chunk: int = 100) -> Descriptors:
    """What a learner that asks for `rows` is given of images with so many rows, which come in chunks."""
    ids = [f"image{i}" for i in range(len(counts))]
    sampler = RowSampler(rows, len(counts), seed)
    everything = descriptors(counts)
    starts = range(0, len(counts), chunk)
    parts = [sampler.thin(everything[i : i + chunk], ids[i : i + chunk]) for i in starts]
    cut = sampler.fair(parts)
    kept = [
        cut.thin(part, ids[i : i + chunk]) if cut else part for i, part in zip(starts, parts, strict=True)
    ]
    return Descriptors.concat(kept)


def test_rows_are_shared_fairly() -> None:
    assert share([100] * 10, 200).counts.tolist() == [20] * 10
    assert share([3, 0, 5], 200).counts.tolist() == [3, 0, 5]
    # Images with few rows keep all of them, and the others make up for it.
    assert share([2, 0, 100, 100, 100], 50).counts.tolist() == [2, 0, 16, 16, 16]
    assert share([0, 100], 10).counts.tolist() == [0, 10]
    assert share([5, 5, 5], 1).counts.tolist() == [1, 1, 1]
    assert share([0, 0], 10).counts.tolist() == [0, 0]
    counts = np.random.default_rng(0).integers(0, 400, 60).tolist()
    assert 900 <= share(counts, 1000).counts.sum() <= 1000
    some = np.arange(1, 60, 3)  # cut out after rows are drawn, or before
    ids, sampler = [f"image{i}" for i in some], RowSampler(1000, 20, 0)
    once, twice = sampler.thin(descriptors(counts), ids, some), sampler.thin(descriptors(counts)[some], ids)
    for name, array in twice.arrays().items():
        np.testing.assert_array_equal(once.arrays()[name], array, name)
    in_chunks = share(counts, 1000, chunk=7)
    for name, array in share(counts, 1000).arrays().items():
        np.testing.assert_array_equal(in_chunks.arrays()[name], array, name)


def test_drawn_rows_are_rows_of_their_image() -> None:
    counts = [50, 0, 7, 90]
    batch, picked = descriptors(counts), share(counts, 40)
    for i in range(4):
        rows = picked.values[picked.rows(i), 0]
        assert set(rows) <= set(batch.values[batch.rows(i), 0])
        assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(share(counts, 40).values, picked.values)
    assert not np.array_equal(share(counts, 40, seed=1).values, picked.values)


def test_as_many_images_as_the_rows_are_worth() -> None:
    train = np.arange(5, 1005)
    drawn = drawn_images(train, 10 * ROWS_PER_IMAGE, seed=0)
    assert len(drawn) == len(set(drawn.tolist())) == 10
    assert set(drawn) <= set(train)
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, drawn_images(train, 10 * ROWS_PER_IMAGE, seed=0))
    assert len(drawn_images(train, 1, seed=0)) == FEWEST
    assert drawn_images(train, 10**6, seed=0) is train
    assert len(drawn_images(train, 300, seed=0, per_image=1)) == 300


class FewImages(Learner):
    """Asks for so many rows, whatever comes in."""

    rows: int = 40

    mean_: float

    fits: ClassVar[list[int]] = []

    @property
    def fit_rows(self) -> int:
        return self.rows

    def fit(self, batch: Features, labels: np.ndarray | None = None) -> FewImages:
        self.fits.append(len(batch))
        self.mean_ = 0.0
        return self

    def transform(self, batch: Features) -> Features:
        return batch


class FromImages(FewImages):
    def fit(self, batch: Images, labels: np.ndarray | None = None) -> FromImages:  # type: ignore[override]
        assert isinstance(batch, Images)
        super().fit(batch, labels)  # type: ignore[arg-type]
        return self

    def transform(self, batch: Images) -> Features:  # type: ignore[override]
        return Features(values=np.array([image[:4].mean(axis=(1, 2)) for image in batch], np.float32))


def test_a_row_of_features_is_an_image() -> None:
    FewImages.fits.clear()
    Pipeline([Slopes(), FewImages(rows=40), Centroid()]).fit(striped(70).images, striped(70).labels)
    assert FewImages.fits == [40]
    FewImages.fits.clear()
    Pipeline([FromImages(rows=320), Centroid()]).fit(striped(70).images, striped(70).labels)
    assert FewImages.fits == [10]


class Heavy(Stage):
    """Makes 1 MB for each image, and keeps count of how much of it is alive."""

    cached = False
    alive: ClassVar[list[int]] = []
    most: ClassVar[list[int]] = [0]

    def transform(self, images: Images) -> Features:
        values = np.zeros((len(images), 250_000), np.float32)
        values[:, 0] = [image.mean() for image in images]
        self.alive.append(len(images))
        weakref.finalize(values, self.alive.remove, len(images))
        self.most[0] = max(self.most[0], sum(self.alive))
        return Features(values=values)


class Thin(Stage):
    cached = False

    def transform(self, features: Features) -> Features:
        return Features(values=np.array(features.values[:, :1]))


@pytest.mark.parametrize("jobs", [1, 2])
def test_memory_is_bounded_by_the_chunks_in_flight(jobs: int) -> None:
    small = np.zeros((2, 2, 3), np.uint8)
    data = Images.from_arrays([small + i % 200 for i in range(640)])
    labels = np.array(["a", "b"] * 320)
    gc.collect()
    Heavy.most[0] = 0
    pipeline = Pipeline([Heavy(), Thin(), Centroid()], jobs=jobs).fit(data, labels)
    pipeline.predict(data)
    assert CHUNK <= Heavy.most[0] <= 2 * jobs * CHUNK  # of 640: what is computed, and what is handed over
    gc.collect()
    assert Heavy.alive == []


class Breaking(Stage):
    how: str = "raise"  # what goes wrong

    def transform(self, images: Images) -> Features:
        if self.how == "raise":
            raise ZeroDivisionError("by zero")
        if self.how == "short":
            return Features(values=np.zeros((len(images) - 1, 2), np.float32))
        return [1] * len(images)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raise", "ZeroDivisionError: by zero"),
        ("short", r"broke its contract: 31 rows for 32 images"),
        ("list", r"broke its contract: a list for 32 images"),
    ],
)
def test_a_stage_that_breaks_is_named_with_its_images(how: str, said: str) -> None:
    with pytest.raises(RunError, match=rf"stage 'breaking' on images 00000 … 00031: {said}"):
        Pipeline([Breaking(how=how), Centroid()], jobs=1).run(striped(40), split=SPLIT)


class Blot(Stage):
    """Puts a number in place of the second descriptor of image 41."""

    value: str = "nan"  # the number

    def transform(self, descriptors: Descriptors) -> Descriptors:
        values = descriptors.values.copy()
        values[(values == [41, 1]).all(axis=1)] = float(self.value), 1
        return dataclasses.replace(descriptors, values=values)


@pytest.mark.parametrize(("value", "said"), [("nan", "NaN"), ("inf", "infinity"), ("-inf", "infinity")])
def test_what_is_not_finite_is_refused_and_named_with_its_image(value: str, said: str) -> None:
    # An SVM fitted on one NaN is at the level of chance; nothing else would tell.
    with pytest.raises(RunError, match=rf"^stage 'blot' gives {said} for image '00041'$"):
        Pipeline([Spots(), Blot(value=value), Sampled(rows=10**6), Centroid()]).run(striped(70), split=SPLIT)


def test_large_numbers_are_not_infinite_though_their_sum_is() -> None:
    large = np.full((3, 4), 3e38, np.float32)
    refuse_not_finite(Features(values=large), ["a", "b", "c"], "mine")
    large[1, 2] = np.nan
    with pytest.raises(RunError, match="stage 'mine' gives NaN for image 'b'"):
        refuse_not_finite(Features(values=large), ["a", "b", "c"], "mine")


class Unwilling(Learner):
    how: str = "own"  # which error

    mean_: Any

    def fit(self, features: Features, labels: np.ndarray | None = None) -> Unwilling:
        if self.how == "own":
            raise RunError("did not converge")
        if self.how == "other":
            raise np.linalg.LinAlgError("singular")
        self.mean_ = object()
        return self

    def transform(self, features: Features) -> Features:
        return features


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("own", "did not converge"),
        ("other", "fit failed: LinAlgError: singular"),
        ("object", "learned attribute 'mean_' is a object"),
    ],
)
def test_a_learner_that_fails_is_named(how: str, said: str) -> None:
    with pytest.raises(RunError, match=f"stage 'unwilling': {said}"):
        Pipeline([Slopes(), Unwilling(how=how), Centroid()]).run(striped(40), split=SPLIT)


def test_an_image_that_vanishes_during_a_run_is_named(tmp_path: Path) -> None:
    import cv2

    pictures, labels = toys.stripes(6)
    paths = [tmp_path / f"{i}.png" for i in range(6)]
    for path, picture in zip(paths, pictures, strict=True):
        cv2.imwrite(str(path), picture)
    pipeline = Pipeline([Slopes(), Centroid()]).fit(Images.from_files(paths), labels)
    paths[4].unlink()
    with pytest.raises(DataError, match=r"4\.png: no such file"):
        pipeline.predict(Images.from_files(paths))
    paths[4].write_bytes(paths[3].read_bytes()[:-20])
    with pytest.raises(DataError, match=r"4\.png: cut short"):
        pipeline.predict(Images.from_files(paths))


TWICE = """
import sys; sys.path.insert(0, {tests!r})
from test_flow import SPLIT, striped, words
from cvpipe import Pipeline
result = Pipeline(words()).run(striped(70, side=40), split=SPLIT)
print([split.predictions.scores.tobytes().hex() for split in result.splits])
"""


@pytest.mark.slow
def test_two_processes_with_one_cache_find_the_same(cache: Path) -> None:
    code = TWICE.format(tests=str(Path(__file__).parent))
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        for _ in range(2)
    ]
    one, other = (process.communicate(timeout=120)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert one == other
    here = Pipeline(words(), cache=False).run(striped(70, side=40), split=SPLIT)
    assert one.strip() == str([split.predictions.scores.tobytes().hex() for split in here.splits])
    assert not list(cache.glob("??/.*.part"))


def test_given_rows_of_labels_stay_with_their_images() -> None:
    pictures, labels = toys.stripes(40)
    data = Dataset("stripes", Images.from_arrays(pictures), labels)
    order = np.random.default_rng(0).permutation(40)
    Pipeline([Slopes(), Centre(), Centroid()]).run(data[order], split=SPLIT)
    for numbers, seen in Centre.fits:
        assert seen == labels[numbers].tolist()


def test_draws_are_kept_for_the_next_split_and_forgotten_when_they_are_many() -> None:
    picks = Picks(most=25)
    draw = (3, "image", 90, 10)
    rows = picks.get(draw)
    expected = np.sort(generator(3, "rows", "image").choice(90, 10, replace=False))
    np.testing.assert_array_equal(rows, expected)
    assert picks.get(draw) is rows
    assert not np.array_equal(picks.get((4, "image", 90, 10)), rows)
    for other in range(3):
        picks.get((3, f"other {other}", 90, 10))
    assert picks.get(draw) is not rows
    np.testing.assert_array_equal(picks.get(draw), rows)


def test_the_time_of_others_is_not_that_of_the_run() -> None:
    """A listener may let a run wait before its stages begin, and who is called when they are done takes his time."""

    class Waits(Progress):
        def ready(self) -> None:
            time.sleep(1)

    ran: list[Worked] = []
    began = time.perf_counter()
    pipeline = Pipeline([Slopes(), Centroid()], cache=False)
    result = pipeline.run(
        striped(12),
        split={"kfold": 2},
        progress=Waits(),
        computed=lambda done: (ran.append(done), time.sleep(1))[0],
    )
    assert result.total_s < time.perf_counter() - began - 1.9
    assert (ran[0].dataset, ran[0].splits, ran[0].pipeline) == (
        result.dataset,
        result.splits,
        result.pipeline,
    )
