"""Where patches are taken, in the report of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from test_report import NAMES, FakePipeline, Gone, Means, fake_result, page_of, section_ids

from cvpipe.data import Dataset, Images
from cvpipe.report.patches import SQUARES, section
from cvpipe.spec.build import build_stage
from cvpipe.stage import Stage
from cvpipe.stages.features.join import Join


class FilterLearnerLike(Means):
    """It learns from patches and takes images."""

    name = "filters"

    def __init__(self, sampler: Stage) -> None:
        self.sampler = sampler


def shown(*stages: Any, **changes: Any) -> list[dict[str, Any]]:
    content = section(replace(fake_result(), pipeline=FakePipeline(*stages), **changes))
    assert content is not None
    return content["shown"]


def salient(**options: Any) -> Stage:
    return build_stage("saliency_patches", {"size": 6, "saliency": "gradient_energy", "seed": 3} | options)


def test_squares_are_the_patches_of_a_training_image() -> None:
    result = fake_result()
    stage = build_stage("grid_patches", {"size": 6, "step": 9})
    first = shown(stage)[0]
    images = result.dataset.images
    assert images.ids.index(first["id"]) in result.splits[0].train
    assert [one["label"] for one in shown(stage)[:4]] == sorted(NAMES)
    corners = [(x, y) for y in (-0.5, 8.5, 17.5) for x in (-0.5, 8.5, 17.5)]  # 24 px: pixels 0, 9 and 18 on
    assert first["squares"] == [(x, y, 6, 6) for x, y in corners]
    assert (first["width"], first["height"], first["count"], first["map"]) == (24, 24, 9, None)


def test_what_a_learner_is_given_is_drawn_with_its_map() -> None:
    stage = salient(count=120)
    first = shown(FilterLearnerLike(stage))[0]
    assert (first["stage"], first["count"], len(first["squares"])) == ("saliency_patches", 120, SQUARES)
    assert first["map"]["stage"] == "gradient_energy"
    row = fake_result().dataset.images.ids.index(first["id"])
    patches = stage.transform(fake_result().dataset.images[[row]])
    left = patches.xy[:SQUARES, 0] - 3
    np.testing.assert_allclose([x for x, *_ in first["squares"]], left, atol=0.051)


def test_patches_of_a_branch_and_of_keypoints_are_drawn() -> None:
    join = Join()
    join.adopt([[Means()], [FilterLearnerLike(salient())]])  # type: ignore[list-item]
    assert {one["stage"] for one in shown(join)} == {"saliency_patches"}
    chain = [build_stage("grid_keypoints"), build_stage("patches_at_keypoints", {"size": 3})]
    assert {one["stage"] for one in shown(*chain)} == {"patches_at_keypoints"}


def test_the_page_holds_the_section_only_where_there_are_patches() -> None:
    result = fake_result()
    page = page_of(replace(result, pipeline=FakePipeline(FilterLearnerLike(salient()), Means())))
    assert "patches" in section_ids(page)
    assert not page.unbalanced
    assert "map by gradient_energy" in page.text
    squares = [a for name, a in page.elements if name == "rect" and a.get("width") == "6"]
    assert len(squares) == 6 * 100
    plain = page_of(replace(result, pipeline=FakePipeline(build_stage("random_patches", {"size": 6}))))
    assert "Below each image" not in plain.text
    assert "patches" not in section_ids(page_of(result))


def test_images_that_are_gone_are_left_out() -> None:
    items = [Gone()] * len(fake_result().dataset.images)
    gone = Dataset("gone", Images([str(i) for i in range(len(items))], items), fake_result().dataset.labels)
    assert section(replace(fake_result(), dataset=gone, pipeline=FakePipeline(salient()))) is None
