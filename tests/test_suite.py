"""Suite files: what they may say, and what is said about mistakes in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from cvpipe_cli.main import main

from cvpipe.comparison.entrants import enter
from cvpipe.comparison.suite import is_suite, read_suite
from cvpipe.errors import SpecError

GOOD = """\
name: words
data: textures
split: {holdout: 0.5}
specs:
  - lbp_svm
  - {spec: sift_bow_svm, name: sift_200, set: {bag_of_words.words: 200}}
  - {spec: dense_sift_bow_svm, matrix: {bag_of_words.words: [100, 400]}}
  - {name: tiny, spec: {stages: [raw_pixels, {svm: {kernel: rbf}}]}}
matrix: {svm.C: [1, 0.5]}
train_sizes: [2, 5]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "suite.yaml"
        path.write_text(text)
        return path

    return write


def problems(path: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        enter(read_suite(path).asked)
    lines = str(caught.value).splitlines()
    return [line.removeprefix(str(path)).replace(str(path), "FILE") for line in lines]


def test_everything_a_suite_can_say(suite: Callable[[str], Path]) -> None:
    found = read_suite(suite(GOOD))
    assert (found.name, found.train_sizes) == ("words", [2, 5])
    entrants = {entrant.name: entrant.spec for entrant in enter(found.asked)}
    assert list(entrants) == [
        "lbp_svm-C_1",
        "lbp_svm-C_0.5",
        "sift_200-C_1",
        "sift_200-C_0.5",
        "dense_sift_bow_svm-C_1-words_100",
        "dense_sift_bow_svm-C_1-words_400",
        "dense_sift_bow_svm-C_0.5-words_100",
        "dense_sift_bow_svm-C_0.5-words_400",
        "tiny-C_1",
        "tiny-C_0.5",
    ]
    assert all(spec.split.as_spec() == {"holdout": 0.5} for spec in entrants.values())
    stages = entrants["dense_sift_bow_svm-C_0.5-words_400"].stages
    assert (stages[2].words, stages[3].C) == (400, 0.5)  # type: ignore[attr-defined]
    assert entrants["sift_200-C_1"].stages[2].words == 200  # type: ignore[attr-defined]


def test_the_command_line_comes_after_the_suite(suite: Callable[[str], Path]) -> None:
    asked = read_suite(suite(GOOD)).asked
    changed = enter(
        asked, overrides=["svm.kernel=rbf"], data="digits", seed=4, repeats=3, metrics=["macro_f1"]
    )
    for entrant in changed:
        assert entrant.spec.stages[-1].kernel == "rbf"  # type: ignore[attr-defined]
        assert entrant.spec.data.name == "digits"
        assert entrant.spec.seed == 4
        assert entrant.spec.split.as_spec() == {"holdout": 0.5, "repeats": 3}
        assert entrant.metric == "macro_f1"


@pytest.mark.parametrize("text", ["svm.C=7", "svm={C: 7}"])
def test_the_command_line_does_not_replace_what_a_matrix_varies(
    suite: Callable[[str], Path], text: str
) -> None:
    with pytest.raises(SpecError, match=r"--set svm.*: a matrix varies 'svm\.C'; leave one out"):
        enter(read_suite(suite(GOOD)).asked, overrides=[text])


def test_values_that_are_no_words_get_numbers(suite: Callable[[str], Path]) -> None:
    text = "specs: [{spec: dense_sift_bow_svm, matrix: {dense_sift.bin_sizes: [[4], [4, 8]], svm.kernel: [linear]}}]"
    names = [asked.name for asked in read_suite(suite(text)).asked]
    assert names == [f"dense_sift_bow_svm-bin_sizes_{i}-kernel_linear" for i in (0, 1)]


def test_options_of_one_name_are_told_apart(suite: Callable[[str], Path]) -> None:
    text = "specs: [{spec: x, matrix: {a.k: [1], b.k: [2]}}]"
    assert [asked.name for asked in read_suite(suite(text)).asked] == ["x-a.k_1-b.k_2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("spcs: [lbp_svm]", [":1:1: unknown key 'spcs' of a suite (did you mean 'specs'?)",
                             ":1:1: 'specs' is missing: a list of specs to compare"]),
        ("specs: []", [":1:8: specs must be a list, got []"]),
        ("specs: lbp_svm", [":1:8: specs must be a list, got 'lbp_svm'"]),
        ("specs:\n  - 3", [":2:5: an entry of specs is a name, a path, or {spec: …, name: …, set: …, matrix: …},"
                            " got 3"]),
        ("specs: [a]\nmatrix: [1]", [":2:9: matrix must be a mapping such as {bag_of_words.words: …}, got [1]"]),
        ("specs: [a]\nmatrix: {svm.C: 1}", [":2:17: matrix needs a list of values for 'svm.C', got 1"]),
        ("specs: [{spec: a, set: {svm.C: 5}}]\nmatrix: {svm.C: [1, 10]}",
         [":1:32: 'svm.C' is set here, but a matrix varies 'svm.C' (FILE:2:17); leave one out"]),
        ("specs: [{spec: a, set: {svm.C: 5, svm.tolerance: 1}, matrix: {svm: [{C: 1}], lbp.radii: [1]}}]",
         [f":1:{column}: '{option}' is set here, but a matrix varies 'svm' (FILE:1:68); leave one out"
          for column, option in ((32, "svm.C"), (50, "svm.tolerance"))]),
        ("specs: [{spec: a, nmae: b}]", [":1:19: unknown key 'nmae' of an entry of specs (did you mean 'name'?)"]),
        ("specs: [{spec: a, name: b/c}]", [":1:25: name must be letters, digits, '_', '-' or '.', for it names a"
                                           " folder, got 'b/c'"]),
        ("specs: [a]\ntrain_sizes: [5, 0]", [":2:18: a train size is a whole number of at least 1, got 0"]),
    ],
)  # fmt: skip
def test_mistakes_in_the_file(suite: Callable[[str], Path], text: str, said: list[str]) -> None:
    assert problems(suite(text)) == said


def test_mistakes_that_only_a_spec_can_know(suite: Callable[[str], Path]) -> None:
    text = """\
split: {kfold: 1}
specs:
  - {spec: lbp_svm, set: {lbp.radius: 3}}
  - {spec: lbp_svm, name: other, set: {lpb.radii: 3}}
  - lbp_swm
"""
    said = problems(suite(text))
    assert said[0].startswith(":1:16: split 'kfold' must be a whole number of at least 2, got 1")
    assert ":3:39: unknown option 'radius' of stage 'lbp' (did you mean 'radii'?)" in said
    assert any(
        line.startswith(":4:51: no stage or key 'lpb' in lbp_svm.yaml (did you mean 'lbp'?)") for line in said
    )
    assert any(
        "lbp_swm: no such file, and no shipped spec of that name (did you mean 'lbp_svm'?)" in s for s in said
    )
    assert len(said) == len(set(said))  # the split is wrong for every spec, and said once


def test_a_suite_is_told_from_a_spec(suite: Callable[[str], Path]) -> None:
    assert is_suite(suite(GOOD))
    assert is_suite(suite("spec: [a]"))
    assert not is_suite(suite("stages: [lbp, svm]\ndata: textures"))
    assert not is_suite(suite("staegs: [lbp, svm]\nspecs: []"))
    assert not is_suite("lbp_svm")
    assert not is_suite({"specs": []})
    with pytest.raises(SpecError, match="no such file"):
        is_suite("nowhere.yaml")


@pytest.mark.parametrize("command", ["run", "cite"])
def test_other_commands_say_who_takes_a_suite(suite: Callable[[str], Path], command: str) -> None:
    path = suite(GOOD)
    done = CliRunner().invoke(main, [command, str(path)])
    assert (done.exit_code, done.stderr) == (2, f"{path}: is a suite; `cvpipe compare {path}` runs it\n")


def test_check_takes_a_suite(suite: Callable[[str], Path]) -> None:
    path = str(suite(GOOD))
    done = CliRunner().invoke(main, ["check", path])
    assert (done.exit_code, done.stdout) == (0, f"ok {path}: a suite of 10 pipelines, for `cvpipe compare`\n")
    suite(GOOD.replace("- lbp_svm", "- lbp_swm"))
    assert "(did you mean 'lbp_svm'?)" in CliRunner().invoke(main, ["check", path]).stderr
