"""The spatial pyramid: cells, weights, and an encoder as an option that learns, is cached, saved and loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toys import striped
from vectors import clusters, descriptors

import cvpipe
from cvpipe import Pipeline
from cvpipe.data import Descriptors
from cvpipe.errors import RunError, SpecError
from cvpipe.spec import build_stage
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.fisher_vector import FisherVector
from cvpipe.stages.features.mean_pool import MeanPool
from cvpipe.stages.features.spatial_pyramid import SpatialPyramid


def cell(batch: Descriptors, image: int, top: float, bottom: float, left: float, right: float) -> Descriptors:
    """The descriptors of one image with their centres in a part of it; 60 x 90 px."""
    one = batch[[image]]
    y, x = (one.xy[:, 1] + 0.5) / 60, (one.xy[:, 0] + 0.5) / 90
    return one.take_rows(np.flatnonzero((y >= top) & (y < bottom) & (x >= left) & (x < right)))


def test_every_cell_is_encoded_by_itself() -> None:
    batch = clusters([200, 0, 3, 90])
    stage = SpatialPyramid(levels=(1, (3, 1), 2), encoder=BagOfWords(words=6, seed=0)).fit(batch)
    got = stage.transform(batch).values
    assert got.shape == (4, 8 * 6)
    assert got.dtype == np.float32
    encoder = BagOfWords(words=6, seed=0).fit(batch)
    thirds = [(i / 3, (i + 1) / 3, 0.0, 1.0) for i in range(3)]
    quarters = [(y, y + 0.5, x, x + 0.5) for y in (0.0, 0.5) for x in (0.0, 0.5)]
    for image in range(4):
        parts = [cell(batch, image, *edges) for edges in [(0.0, 1.0, 0.0, 1.0), *thirds, *quarters]]
        want = np.concatenate([encoder.transform(part).values[0] for part in parts])
        np.testing.assert_array_equal(got[image], want)


def test_cells_are_half_open_and_hold_what_lies_outside() -> None:
    places = [[44.4, 29.4], [44.5, 29.4], [44.4, 29.5], [44.5, 29.5], [-3, -3], [95, 70]]  # of 90 x 60 px
    batch = replace(descriptors([6], 2), xy=np.array(places, np.float32))
    stage = SpatialPyramid(levels=(2,), encoder=MeanPool()).fit(batch)
    rows = batch.values
    want = [(rows[0] + rows[4]) / 2, rows[1], rows[2], (rows[3] + rows[5]) / 2]
    np.testing.assert_allclose(stage.transform(batch).values[0], np.concatenate(want), rtol=1e-6)


def test_weights_of_lazebnik() -> None:
    batch = clusters([50, 20])
    plain = SpatialPyramid(encoder=MeanPool()).fit(batch).transform(batch).values
    weighted = SpatialPyramid(encoder=MeanPool(), weights="lazebnik").fit(batch).transform(batch).values
    weights = np.repeat([1 / 4, 1 / 4, 1 / 2], np.array([1, 4, 16]) * 8)
    np.testing.assert_allclose(weighted, plain * weights, rtol=1e-6)


def test_empty_cells_and_images_are_zeros() -> None:
    batch = replace(descriptors([2, 0]), xy=np.zeros((2, 2), np.float32))
    stage = SpatialPyramid(levels=(1, 2), encoder=FisherVector(gaussians=2, seed=0)).fit(descriptors([30]))
    got = stage.transform(batch).values.reshape(2, 5, -1)
    assert got[0, :2].any(axis=1).all()
    assert not got[0, 2:].any()
    assert not got[1].any()


def test_the_encoder_that_is_an_option_is_not_changed() -> None:
    encoder = BagOfWords(words=3, seed=0)
    stage = SpatialPyramid(encoder=encoder).fit(descriptors([40]))
    assert not hasattr(encoder, "vocabulary_")
    assert stage.fit_rows == encoder.fit_rows
    assert SpatialPyramid(encoder=MeanPool()).fit_rows == 1
    state = stage.state()
    np.testing.assert_array_equal(state["encoder__vocabulary_"], stage.encoder_.vocabulary_)  # type: ignore[attr-defined]
    assert not hasattr(SpatialPyramid(encoder=encoder).restore(state).encoder, "vocabulary_")


def test_errors_of_the_encoder_come_through() -> None:
    with pytest.raises(RunError, match="bag_of_words: the training images have no descriptors"):
        SpatialPyramid().fit(descriptors([0, 0]))
    stage = SpatialPyramid(encoder=BagOfWords(words=3, seed=0)).fit(descriptors([20]))
    with pytest.raises(RunError, match="descriptors are 16 numbers long, the words 8"):
        stage.transform(descriptors([4], width=16))


def test_options_are_checked() -> None:
    stage = build_stage("spatial_pyramid", {"levels": [1, [3, 1]], "encoder": {"vlad": {"words": 7}}})
    assert isinstance(stage, SpatialPyramid)
    assert stage.levels == (1, (3, 1))
    assert stage.get_params()["encoder__words"] == 7
    for levels in ([], [0], [[2]], [[1, 2, 3]]):
        with pytest.raises(SpecError, match="option 'levels' of stage 'spatial_pyramid' must be"):
            build_stage("spatial_pyramid", {"levels": levels})
    with pytest.raises(SpecError, match=r"unknown option 'wrods' of stage 'vlad' \(did you mean 'words'\?\)"):
        build_stage("spatial_pyramid", {"encoder": {"vlad": {"wrods": 7}}})


def test_an_encoder_of_other_types_is_refused_before_any_image_is_read() -> None:
    with pytest.raises(SpecError) as refused:
        Pipeline([Sift(), SpatialPyramid(encoder=Svm()), Svm()]).check()
    (problem,) = map(str, refused.value.problems)
    said = "option 'encoder' of stage 'spatial_pyramid' makes Features from Descriptors, but 'svm' makes Predictions"
    assert problem.startswith(said)
    assert "bag_of_words" in problem
    with pytest.raises(SpecError, match="but 'sift' makes Descriptors from Images"):
        Pipeline([Sift(), SpatialPyramid(encoder=SpatialPyramid(encoder=Sift())), Svm()]).check()


def test_a_pipeline_with_one_runs_is_cached_and_saved(tmp_path: Path) -> None:
    dataset = striped(24, side=32)
    encoder = BagOfWords(words=8)
    stages = [Sift(), SpatialPyramid(levels=(1, 2), encoder=encoder), Svm()]
    first = Pipeline(stages, jobs=1).fit(dataset.images, dataset.labels)
    again = Pipeline(stages, jobs=2).fit(dataset.images, dataset.labels)
    np.testing.assert_array_equal(
        first.predictions(dataset.images).scores, again.predictions(dataset.images).scores
    )
    assert encoder.seed is None
    first.save(tmp_path / "model")
    loaded = cvpipe.load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predictions(dataset.images).scores, first.predictions(dataset.images).scores
    )


def test_another_seed_or_encoder_is_another_result() -> None:
    from cvpipe.conductor import keys
    from cvpipe.conductor.seeding import seeded

    def key(stage: SpatialPyramid, seed: int = 0) -> str:
        return keys.stage_key("", seeded([stage], seed)[0])

    made = [
        key(SpatialPyramid()),
        key(SpatialPyramid(), seed=1),
        key(SpatialPyramid(encoder=BagOfWords(words=201))),
        key(SpatialPyramid(encoder=MeanPool())),
        key(SpatialPyramid(levels=(1, 2))),
    ]
    assert len(set(made)) == len(made)
    assert key(SpatialPyramid()) == made[0]


def test_a_spec_with_one_is_resolved_and_read_again(tmp_path: Path) -> None:
    from cvpipe.spec import dump, load_spec

    path = tmp_path / "pyramid.yaml"
    path.write_text(
        "data: textures\nstages:\n  - sift\n  - spatial_pyramid: {levels: [1, [3, 1]], encoder: {vlad: {words: 9}}}\n"
        "  - svm\n"
    )
    resolved = load_spec(path).resolved()
    options = resolved["stages"][1]["spatial_pyramid"]
    assert options["levels"] == [1, [3, 1]]
    assert options["encoder"]["vlad"]["words"] == 9
    assert isinstance(options["encoder"]["vlad"]["seed"], int)
    path.write_text(dump(resolved))
    assert load_spec(path).resolved() == resolved
