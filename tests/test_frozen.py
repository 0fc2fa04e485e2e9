"""Fitted stages out of saved models: the same arrays, not fitted again, keyed by content, refused when damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import toys
from toys import striped

import cvpipe
from cvpipe import Pipeline
from cvpipe.conductor import keys
from cvpipe.conductor.stand_ins import pinned, replaced
from cvpipe.errors import DataError, NotFitted, RunError, SpecError
from cvpipe.spec import load_spec
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.features.bag_of_words import BagOfWords
from cvpipe.stages.features.join import Join
from cvpipe.stages.features.spatial_pyramid import SpatialPyramid
from cvpipe.stages.models.frozen import Frozen
from cvpipe.stages.transforms.pca import Pca

GRID = DenseSift(step=8, bin_sizes=(3,))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    toys.forget()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A saved model of a vocabulary of 7 words, learned on other images."""
    data = striped(30, side=32, seed=5)
    stages = [GRID, RootSift(), Pca(dims=9), BagOfWords(words=7), Svm()]
    Pipeline(stages, jobs=1).fit(data.images, data.labels).save(tmp_path / "model")
    return tmp_path / "model"


def chain(model: Path, **options: str) -> Pipeline:
    stages = [
        GRID,
        RootSift(),
        *(Frozen(model=str(model), stage=s, **options) for s in ("pca", "bag_of_words")),
        Svm(),
    ]  # type: ignore[arg-type]
    return Pipeline(stages, jobs=1)


def test_it_is_the_stage_of_the_model_and_is_not_fitted_again(model: Path) -> None:
    theirs = cvpipe.load(model).fitted
    data = striped(40, side=32)
    fitted = chain(model).fit(data.images, data.labels)
    pca, words = fitted.fitted[2:4]
    assert isinstance(words, BagOfWords)
    assert words.words == 7
    np.testing.assert_array_equal(words.vocabulary_, theirs[3].vocabulary_)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(pca.axes_, theirs[2].axes_)  # type: ignore[attr-defined]
    assert (fitted.predict(data.images) == data.labels).mean() > 0.8


def test_a_run_learns_nothing_of_it_and_all_splits_share_it(model: Path) -> None:
    notes: list[str] = []

    class Heard(cvpipe.conductor.progress.Progress):  # type: ignore[name-defined]
        def note(self, text: str) -> None:
            notes.append(text)

    result = chain(model).run(striped(40, side=32), split={"kfold": 2}, progress=Heard())
    assert [note for note in notes if note.startswith("fitting")] == ["fitting svm on 20 images"] * 2
    assert [stage.name for stage in result.stages] == [
        "dense_sift",
        "root_sift",
        "pca",
        "bag_of_words",
        "svm",
    ]
    assert result.stages[3].fit_s == 0


def test_what_is_saved_needs_the_old_model_no_more(model: Path, tmp_path: Path) -> None:
    data = striped(30, side=32)
    fitted = chain(model).fit(data.images, data.labels)
    fitted.save(tmp_path / "new")
    for file in model.iterdir():
        file.unlink()
    again = cvpipe.load(tmp_path / "new")
    np.testing.assert_array_equal(
        again.predictions(data.images).scores, fitted.predictions(data.images).scores
    )


def test_in_a_pyramid_and_in_a_branch(model: Path) -> None:
    data = striped(30, side=32)
    frozen = [Frozen(model=str(model), stage=word) for word in ("pca", "bag_of_words")]
    pyramid = Pipeline(
        [GRID, RootSift(), frozen[0], SpatialPyramid(levels=(1, 2), encoder=frozen[1]), Svm()], jobs=1
    )
    fitted = pyramid.fit(data.images, data.labels).fitted[3]
    theirs = cvpipe.load(model).fitted[3].vocabulary_  # type: ignore[attr-defined]
    np.testing.assert_array_equal(fitted.encoder_.vocabulary_, theirs)  # type: ignore[attr-defined]
    joined = Join(
        branches=(
            (GRID, RootSift(), frozen[0], frozen[1]),
            (GRID, RootSift(), Pca(dims=4), BagOfWords(words=3)),
        )
    )
    both = Pipeline([joined, Svm()], jobs=1).fit(data.images, data.labels).fitted[0]
    np.testing.assert_array_equal(both.fitted_chains()[0][3].vocabulary_, theirs)  # type: ignore[attr-defined]
    assert both.fitted_chains()[1][3].vocabulary_.shape == (3, 4)  # type: ignore[attr-defined]


def test_the_key_is_of_what_was_learned_and_not_of_where_it_lies(model: Path, tmp_path: Path) -> None:
    def key(folder: Path) -> str:
        return keys.stage_key("", replaced([Frozen(model=str(folder), stage="bag_of_words")])[0])

    first = key(model)
    model.rename(tmp_path / "elsewhere")
    assert key(tmp_path / "elsewhere") == first
    data = striped(30, side=32, seed=6)
    stages = [GRID, RootSift(), Pca(dims=9), BagOfWords(words=7), Svm()]
    Pipeline(stages, jobs=1).fit(data.images, data.labels).save(model)
    assert key(model) != first
    pyramids = [
        SpatialPyramid(encoder=Frozen(model=str(m), stage="bag_of_words"))
        for m in (model, tmp_path / "elsewhere")
    ]
    assert len({keys.stage_key("", stage) for stage in replaced(pyramids)}) == 2


def test_a_resolved_spec_knows_the_content_and_refuses_another(model: Path, tmp_path: Path) -> None:
    spec = {"data": "textures", "stages": [
        {"dense_sift": {"step": 8, "bin_sizes": [3]}}, "root_sift", {"frozen": {"model": str(model), "stage": "pca"}},
        {"spatial_pyramid": {"encoder": {"frozen": {"model": str(model), "stage": "bag_of_words"}}}}, "svm",
    ]}  # fmt: skip
    resolved = load_spec(spec).resolved()
    inner = resolved["stages"][3]["spatial_pyramid"]["encoder"]["frozen"]
    assert resolved["stages"][2]["frozen"]["model"] == str(model)
    assert len(inner["content"]) == 64
    assert load_spec(resolved).resolved() == resolved
    inner["content"] = "0" * 64
    with pytest.raises(SpecError, match="stage 'bag_of_words' is another than the one that was asked for"):
        load_spec(resolved)


def test_types_are_checked_with_the_stage_that_it_stands_for(model: Path) -> None:
    with pytest.raises(
        SpecError, match="stage 2 'bag_of_words' takes Descriptors, but 'gist' gives Features"
    ):
        load_spec(
            {
                "data": "textures",
                "stages": ["gist", {"frozen": {"model": str(model), "stage": "bag_of_words"}}, "svm"],
            }
        )


@pytest.mark.parametrize(("word", "said"), [
    ("bag_of_word", r"no stage 'bag_of_word' \(did you mean 'bag_of_words'\?\); it has dense_sift, root_sift, pca, "),
    ("pca_2", "has no stage 'pca_2'"),
    ("svm", "'svm' is a classifier, of the classes that it was trained on"),
])  # fmt: skip
def test_stages_that_cannot_be_had(model: Path, word: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        Pipeline([GRID, Frozen(model=str(model), stage=word), Svm()]).check()


def test_models_that_are_none_or_damaged(model: Path, tmp_path: Path) -> None:
    stage = Frozen(model=str(tmp_path / "nothing"), stage="pca")
    with pytest.raises(DataError, match=r"no model here: model\.json is missing"):
        replaced([stage])
    text = "data: textures\nstages:\n  - dense_sift\n  - frozen: {model: nothing, stage: pca}\n  - svm\n"
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(SpecError, match=r"x.yaml:4:5: nothing: no model here: model.json is missing"):
        load_spec(tmp_path / "x.yaml")
    arrays = model / "03_bag_of_words.safetensors"
    data = bytearray(arrays.read_bytes())
    data[-3] ^= 1
    arrays.write_bytes(data)
    with pytest.raises(DataError, match=r"'03_bag_of_words\.safetensors' was cut short or altered"):
        replaced([Frozen(model=str(model), stage="bag_of_words")])


def test_a_stage_that_was_edited_in_the_json_is_refused(model: Path) -> None:
    head = json.loads((model / "model.json").read_text())
    head["stages"][3]["options"]["words"] = 3
    (model / "model.json").write_text(json.dumps(head))
    with pytest.raises(DataError, match=r"model\.json was altered"):
        replaced([Frozen(model=str(model), stage="bag_of_words")])


def test_a_vocabulary_of_another_width_says_so(model: Path) -> None:
    data = striped(30, side=32)
    stages = [GRID, RootSift(), Frozen(model=str(model), stage="bag_of_words"), Svm()]
    with pytest.raises(RunError, match="descriptors are 128 numbers long, the words 9"):
        Pipeline(stages, jobs=1).fit(data.images, data.labels)


def test_by_itself_it_says_where_it_is_used(model: Path) -> None:
    with pytest.raises(NotFitted, match="stage 'frozen' is used in pipelines only"):
        Frozen(model=str(model), stage="pca").transform(None)


def test_the_second_stage_of_a_name(tmp_path: Path) -> None:
    data = striped(30, side=32)
    stages = [GRID, RootSift(), Pca(dims=9), Pca(dims=4), BagOfWords(words=5), Svm()]
    Pipeline(stages, jobs=1).fit(data.images, data.labels).save(tmp_path / "model")
    (stage,) = replaced([Frozen(model=str(tmp_path / "model"), stage="pca_2")])
    assert isinstance(stage, Pca)
    assert stage.dims == 4
    (pin,) = pinned([Frozen(model=str(tmp_path / "model"), stage="pca_2")])
    assert pin.content == stage.sealed  # type: ignore[attr-defined]


def test_a_plan_knows_that_nothing_is_fitted(model: Path) -> None:
    from cvpipe.conductor.asked import as_split
    from cvpipe.conductor.plan import make_plan

    plan = make_plan(chain(model), striped(40, side=32), as_split({"kfold": 2}))
    assert [stage.name for stage in plan.stages] == ["dense_sift", "root_sift", "pca", "bag_of_words", "svm"]
    assert plan.stages[3].fit_s == 0
    assert plan.stages[3].gives == "Features 40 x 7 float32"
