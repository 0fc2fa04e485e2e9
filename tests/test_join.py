"""Fusion: each branch as if it ran alone, side by side, in the conductor as in plain calls."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import toys
from toys import Centroid, Sampled, Slopes, Spots, striped

import cvpipe
from cvpipe import Pipeline
from cvpipe.data import Features
from cvpipe.errors import NotFitted, SpecError
from cvpipe.spec import build_stage, load_spec
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.colour_histogram import ColourHistogram
from cvpipe.stages.features.join import Join
from cvpipe.stages.features.lbp import Lbp
from cvpipe.stages.features.mean_pool import MeanPool
from cvpipe.stages.features.standardize import Standardize
from cvpipe.stages.transforms.l1 import L1
from cvpipe.stages.transforms.l2 import L2

SPLIT = {"kfold": 3}


class Kept(Standardize):
    """As `standardize`, but what it gives is stored."""

    cached: ClassVar[bool] = True


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    toys.forget()


def test_branches_side_by_side_normalised_and_weighted() -> None:
    images = striped(6).images
    join = Join(branches=((ColourHistogram(), L2()), (Lbp(),)), weights=(1, 0.5), normalise=("none", "l1"))
    got = join.fit(images).transform(images).values
    colour = L2().transform(ColourHistogram().transform(images)).values
    texture = L1().transform(Lbp().transform(images)).values / 2
    np.testing.assert_array_equal(got, np.concatenate([colour, texture], axis=1))
    lengths = np.linalg.norm(Join().fit(images).transform(images).values, axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(2), rtol=1e-6)  # two branches of length 1


def test_combining_is_the_sum_of_kernels() -> None:
    one, other = (Features(values=np.random.default_rng(i).random((4, 3), np.float32)) for i in (0, 1))
    both = Join(weights=(2, 3), normalise="none").combine([one, other]).values
    want = 4 * one.values @ one.values.T + 9 * other.values @ other.values.T
    np.testing.assert_allclose(both @ both.T, want, rtol=1e-5)


def test_the_conductor_gives_what_plain_calls_give() -> None:
    """Learners in the branches see training images only, whether stage by stage or all at once."""
    data = striped(40, side=40)
    join = Join(branches=((Sift(max_keypoints=40), BagOfWords(words=6, seed=1)), (Slopes(), Standardize())))
    split = {"holdout": 0.5}
    result = Pipeline([join, Svm()]).run(data, split=split)
    train, test = result.splits[0].train, result.splits[0].test
    assert not hasattr(join, "_fitted")  # what a pipeline was built from stays as it is
    features = join.fit(data.images[train], data.labels[train])
    svm = Svm().fit(features.transform(data.images[train]), data.labels[train])
    want = svm.predict(features.transform(data.images[test])).scores
    np.testing.assert_allclose(result.splits[0].predictions.scores, want, atol=1e-4)
    again = Pipeline([join, Svm()], jobs=1, cache=False).run(data, split=split)
    np.testing.assert_array_equal(again.splits[0].predictions.scores, result.splits[0].predictions.scores)


def test_each_stage_of_a_branch_is_cached_and_timed_by_itself() -> None:
    data = striped(40)

    def run(words: int = 30, shift: float = 0.0) -> list[bool]:
        toys.forget()
        join = Join(branches=((Spots(), Sampled(rows=words)), (Slopes(),)))
        costs = Pipeline([join, Centroid(shift=shift)]).run(data, split=SPLIT).stages
        assert [cost.name for cost in costs] == [
            "join.0.spots", "join.0.sampled", "join.1.slopes", "join", "centroid",
        ]  # fmt: skip
        assert costs[3].output == "Features 40 x 5 float32"
        return [cost.cached for cost in costs[:3]]

    assert run() == [False, False, False]
    assert sorted(Spots.transformed) == list(range(40))  # once for all splits
    assert len(Sampled.fits) == 3
    assert run(shift=1.0) == [True, True, True]
    assert run(words=40) == [True, False, True]
    assert (Spots.transformed, Slopes.transformed) == ([], [])


def test_what_comes_before_is_computed_once_for_all_branches() -> None:
    data = striped(40)
    join = Join(branches=((MeanPool(),), (Sampled(rows=30),), (MeanPool(), L1())))
    Pipeline([Spots(), join, Centroid()], cache=False).run(data, split={"holdout": 0.5})
    assert sorted(Spots.transformed) == list(range(40))


def test_branches_within_branches_and_a_stored_stage_after_them() -> None:
    data = striped(40)
    inner = Join(branches=((MeanPool(),), (Sampled(rows=30),)))
    outer = Join(branches=((Spots(), inner), (Slopes(),)))
    result = Pipeline([outer, Kept(), Centroid()]).run(data, split=SPLIT)
    assert "join.0.join.1.sampled" in [cost.name for cost in result.stages]
    again = Pipeline([outer, Kept(), Centroid()], jobs=1).run(data, split=SPLIT)
    assert [cost.name for cost in again.stages if not cost.cached] == ["centroid"]
    assert again.scores == result.scores


def test_a_saved_fusion_gives_the_same_numbers(tmp_path: Path) -> None:
    data = striped(30, side=40)
    join = Join(branches=((Sift(max_keypoints=30), RootSift(), BagOfWords(words=5)), (Lbp(),)))
    fitted = Pipeline([join, Svm()]).fit(data.images, data.labels)
    fitted.save(tmp_path / "model")
    loaded = cvpipe.load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.decision_function(data.images), fitted.decision_function(data.images)
    )


SPEC = """
data: textures
stages:
  - join:
      branches:
        - [sift, root_sift, {bag_of_words: {words: 50}}]
        - [lbp]
      weights: [1, 0.5]
  - svm
"""


def written(tmp_path: Path, text: str) -> Path:
    (tmp_path / "spec.yaml").write_text(text)
    return tmp_path / "spec.yaml"


def test_in_a_spec_and_resolved_again(tmp_path: Path) -> None:
    spec = load_spec(written(tmp_path, SPEC))
    join = spec.stages[0]
    assert isinstance(join, Join)
    assert [[stage.name for stage in chain] for chain in join.branches] == [
        ["sift", "root_sift", "bag_of_words"], ["lbp"],
    ]  # fmt: skip
    resolved = spec.resolved()["stages"][0]["join"]["branches"]
    assert resolved[0][2]["bag_of_words"]["words"] == 50
    assert isinstance(resolved[0][2]["bag_of_words"]["seed"], int)


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("words: 50", "wrds: 50", "6:45", "unknown option 'wrds' of stage 'bag_of_words'"),
        ("[lbp]", "[lpb]", "7:12", "unknown stage 'lpb' (did you mean 'lbp'?)"),
        ("[1, 0.5]", "[1]", "5:7", "option 'weights' of stage 'join' has 1 values for 2 branches"),
        ("[lbp]", "lbp", "7:11", "option 'branches' of stage 'join' must be"),
        ("[lbp]", "[]", "7:11", "option 'branches' of stage 'join' must be"),
        ("[lbp]", "[lbp, root_sift]", "4:5", "in chain 2 of 'join': stage 2 'root_sift' takes Descriptors"),
        ("[lbp]", "[dense_sift]", "4:5", "in chain 2 of 'join': 'dense_sift' gives Descriptors, but a chain"),
        ("[lbp]", "[lbp, svm]", "4:5", "in chain 2 of 'join': 'svm' is a classifier"),
    ],
)
def test_mistakes_are_told_with_their_place(
    tmp_path: Path, old: str, new: str, place: str, said: str
) -> None:
    path = written(tmp_path, SPEC.replace(old, new))
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert said in str(caught.value)
    assert f"spec.yaml:{place}" in str(caught.value)


def test_built_in_python_it_is_checked_too() -> None:
    with pytest.raises(SpecError, match="has 3 values for 2 branches"):
        Pipeline([Join(weights=(1, 1, 1)), Svm()]).check()
    with pytest.raises(SpecError, match="option 'words' of stage 'bag_of_words' must be"):
        Pipeline([Join(branches=((Sift(), BagOfWords(words=0)),)), Svm()]).check()
    with pytest.raises(SpecError, match=r"must be a list|is missing|branches"):
        build_stage("join", {"branches": 3})


def test_unfitted_it_says_so() -> None:
    with pytest.raises(NotFitted, match="stage 'join' is not fitted"):
        Join().transform(striped(3).images)
