"""Who may be compared with whom, and what is said to the others."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import cvpipe.conductor
import cvpipe.splits
from cvpipe.comparison.entrants import enter
from cvpipe.comparison.record import candidate_key
from cvpipe.comparison.sharing import ordered, shared_with
from cvpipe.comparison.suite import Asked
from cvpipe.errors import SpecError
from cvpipe.spec import load_spec


def spec(name: str = "a", stages: Any = ("raw_pixels", "knn"), **sections: Any) -> dict[str, Any]:
    return {"name": name, "data": "textures", "stages": list(stages), **sections}


def problems(*specs: Any, **options: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        enter([Asked(one) for one in specs], **options)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_none_and_one() -> None:
    assert problems() == ["nothing to compare: name two specs or more, or a suite"]
    alone = (
        "'lbp_svm' alone cannot be compared: name a second spec, or a suite; `cvpipe run` runs a single one"
    )
    assert problems("lbp_svm") == [alone]


def test_two_of_one_name() -> None:
    assert problems("lbp_svm", "gabor_svm", "lbp_svm") == [
        "2 candidates are called 'lbp_svm', and a name is a folder;"
        " give each a `name` of its own in its spec or in a suite"
    ]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"data": {"textures": {"size": 96}}},
         'data {"textures": {"size": 96}}, not {"textures": {"size": 64}}; --data NAME gives all the same'),
        ({"data": "digits"}, 'data {"digits": {}}, not {"textures": {"size": 64}}; --data NAME gives all the same'),
        ({"split": {"kfold": 10}},
         "split {\"kfold\": 10}, not {\"kfold\": 5}; --set 'split={kfold: 5}' gives all the same"),
        ({"seed": 3}, "seed 3, not 0; --seed N gives all the same"),
        ({"metrics": ["accuracy"]},
         'metrics ["accuracy"], not ["accuracy", "macro_f1", "confusion"]; --metric NAME gives all the same'),
        ({"on_bad_image": "skip"}, "on_bad_image 'skip', not 'fail'; --set on_bad_image=skip gives all the same"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_other_data_splits_seeds_metrics(section: dict[str, Any], said: str) -> None:
    assert problems(spec("a"), spec("b", **section)) == [f"'b' cannot be compared with 'a': {said}"]


def test_what_gives_all_the_same_does() -> None:
    specs = [
        Asked(spec("a")),
        Asked(spec("b", data="digits", seed=3, split={"kfold": 10}, metrics=["accuracy"])),
    ]
    options: dict[str, Any] = {
        "data": "digits",
        "seed": 1,
        "overrides": ["split={kfold: 3}"],
        "metrics": ["macro_f1"],
    }
    first, second = (entrant.spec.resolved() for entrant in enter(specs, **options))
    assert {**first, "name": ""} == {**second, "name": ""}


def test_all_problems_of_all_specs_at_once() -> None:
    said = problems(
        spec(stages=["raw_pixls", "knn"]), "lbp_swm", "orb_bow_svm", metrics=["accurcy", "confusion"]
    )
    assert said == [
        "--metric accurcy: pipelines are compared by one of accuracy, balanced_accuracy or macro_f1, got 'accurcy'"
        " (did you mean 'accuracy'?)",
        "--metric confusion: pipelines are compared by one of accuracy, balanced_accuracy or macro_f1, got 'confusion'",
        "spec: unknown stage 'raw_pixls' (did you mean 'raw_pixels'?); `cvpipe stages` lists all",
        "lbp_swm: no such file, and no shipped spec of that name (did you mean 'lbp_svm'?); "
        "`cvpipe init --list` lists all",
    ]


def test_an_override_that_does_not_fit_all_names_the_specs_that_it_does_not_fit(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text("data: textures\nstages: [raw_pixels, pca, knn]\n")
    asked = ["lbp_svm", own, spec("c"), spec("d", ["raw_pixels", "svm"])]
    change = "svm.C=3"
    assert problems(*asked, overrides=[change]) == [
        f"--set {change}: no stage or key 'svm' in {own}; its stages are raw_pixels, pca and knn",
        f"--set {change}: no stage or key 'svm' in spec 'c'; its stages are raw_pixels and knn",
    ]


def test_a_split_that_cannot_be_repeated() -> None:
    said = problems(spec("a", split={"given": True}), spec("b", split={"given": True}), repeats=3)
    assert said[0] == "--repeats 3: split 'given' of spec 'a' is one that cannot be drawn again"


def test_a_loaded_spec_is_complete() -> None:
    loaded = load_spec("lbp_svm")
    assert [e.name for e in enter([Asked(loaded), Asked("gabor_svm")])] == ["lbp_svm", "gabor_svm"]
    assert "a `Spec` is complete" in problems(loaded, "gabor_svm", seed=3)[0]


def chain(name: str, *stages: Any) -> Asked:
    return Asked(spec(name, stages))


def test_candidates_that_share_stages_stand_together() -> None:
    words = [{"bag_of_words": {"words": count}} for count in (5, 9)]
    entrants = enter([
        chain("a", "sift", "root_sift", words[0], "svm"),
        chain("b", "lbp", "svm"),
        chain("c", "sift", "root_sift", words[1], "svm"),
        chain("d", "sift", "root_sift", words[0], "knn"),
        chain("e", "lbp", "knn"),
        chain("f", {"sift": {"max_keypoints": 7}}, words[0], "knn"),
    ])  # fmt: skip
    turns = [entrants[place] for place in ordered(entrants)]
    assert [entrant.name for entrant in turns] == ["a", "d", "c", "b", "e", "f"]
    assert shared_with(turns) == [
        ["", "", "", ""],
        ["a", "a", "a", ""],
        ["a", "a", "", ""],
        ["", ""],
        ["b", ""],
        ["", "", ""],
    ]


@pytest.mark.parametrize("room", [cvpipe.splits, cvpipe.conductor])
def test_a_finished_candidate_counts_only_for_the_code_that_splits_and_scores(
    room: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entrant, _ = enter([Asked(spec("a")), Asked(spec("b"))])
    key = candidate_key(entrant, "data", {})
    assert candidate_key(entrant, "data", {}) == key
    changed = Path(shutil.copytree(room.__path__[0], tmp_path / "room"))
    (changed / "__init__.py").write_text("# changed\n")
    monkeypatch.setattr(room, "__path__", [str(changed)])
    assert candidate_key(entrant, "data", {}) != key
