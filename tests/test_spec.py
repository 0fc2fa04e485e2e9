"""A spec: what it says about mistakes, what overrides do, and that the resolved one is complete."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge

from cvpipe import registry
from cvpipe.conductor.evaluate import METRICS
from cvpipe.conductor.seeding import seeded
from cvpipe.configurable import Configurable
from cvpipe.data.seeds import derive
from cvpipe.errors import Problem, SpecError, listed
from cvpipe.help import as_written, option_help
from cvpipe.options import Count, Fraction, PathText, Positive, Seed
from cvpipe.spec import build_stage, dump, json_schema, load_spec, option_problems, shipped_specs
from cvpipe.spec.build import build
from cvpipe.spec.model import resolved_part
from cvpipe.spec.nodes import parse, to_node
from cvpipe.stage import Stage
from cvpipe.wording import mean_and_spread, type_phrase, type_text

GOOD = """\
data: textures
stages:
  - sift: {max_keypoints: 100}
  - root_sift
  - bag_of_words: {words: 20}
  - svm: {kernel: chi2, C: 10}
"""


@pytest.fixture
def spec_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes `x.yaml` into the working folder, so that places are `x.yaml:line:column`."""
    monkeypatch.chdir(tmp_path)

    def write(text: str | bytes) -> str:
        (tmp_path / "x.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return "x.yaml"

    return write


def messages(*arguments: Any, **options: Any) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_spec(*arguments, **options)
    lines = [str(problem) for problem in caught.value.problems]
    assert all("\n" not in line for line in lines)
    return lines


def test_defaults(spec_file) -> None:
    spec = load_spec(spec_file(GOOD))
    assert (spec.name, spec.seed, spec.on_bad_image) == ("x", 0, "fail")
    assert spec.metrics == ["accuracy", "macro_f1", "confusion"]
    assert spec.split.as_spec() == {"kfold": 5}
    assert [stage.name for stage in spec.stages] == ["sift", "root_sift", "bag_of_words", "svm"]
    assert (spec.stages[2].words, spec.stages[3].C) == (20, 10)  # type: ignore[attr-defined]


def test_all_problems_at_once_each_with_its_place(spec_file) -> None:
    text = """\
name: ../x
data: texture
split: {kfold: 1}
seed: -1
sed: 3
stages:
  - sift: {max_keypoints: many}
  - root_sift: {power: 1}
  - bag_of_word
  - bag_of_words: {clusters: 3, wrds: 3, norm: l3}
  - svm: {C: 0, class_weight: none}
metrics: [accuracy, f1_macro]
on_bad_image: ignore
"""
    assert messages(spec_file(text)) == [
        "x.yaml:1:7: name must be letters, digits, '_', '-' or '.', for it names a folder, got '../x'",
        "x.yaml:2:7: unknown data set 'texture' (did you mean 'textures'?); `cvpipe datasets` lists all",
        "x.yaml:3:16: split 'kfold' must be a whole number of at least 2, got 1",
        "x.yaml:4:7: seed must be a whole number of at least 0, got -1",
        "x.yaml:5:1: unknown key 'sed' (did you mean 'seed'?)",
        "x.yaml:7:27: option 'max_keypoints' of stage 'sift' must be a whole number of at least 1 or null, "
        "got 'many'",
        "x.yaml:8:17: unknown option 'power' of stage 'root_sift': it has no options",
        "x.yaml:9:5: unknown stage 'bag_of_word' (did you mean 'bag_of_words'?); `cvpipe stages` lists all",
        "x.yaml:10:20: unknown option 'clusters' of stage 'bag_of_words'; it has words, norm, assignment, "
        "softness, iterations, tolerance, rows_per_word and seed",
        "x.yaml:10:33: unknown option 'wrds' of stage 'bag_of_words' (did you mean 'words'?)",
        "x.yaml:10:48: option 'norm' of stage 'bag_of_words' must be one of l1, l2 or none, got 'l3' "
        "(did you mean 'l2'?)",
        "x.yaml:11:14: option 'C' of stage 'svm' must be a number above 0 or search, got 0",
        "x.yaml:11:31: option 'class_weight' of stage 'svm' must be one of balanced or null, got 'none' "
        "(write null)",
        f"x.yaml:12:21: metric must be one of {listed(METRICS)}, got 'f1_macro' (did you mean 'macro_f1'?)",
        "x.yaml:13:15: on_bad_image must be one of fail or skip, got 'ignore'",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "x.yaml:1:1: the spec is empty"),
        ("# nothing\n", "x.yaml:1:1: the spec is empty"),
        ("- sift\n", "x.yaml:1:1: a spec is a mapping with the keys name, data,"),
        ("textures\n", "x.yaml:1:1: a spec is a mapping"),
        ("root:x:0:0\n:/:y: 1\n", "x.yaml:"),
        ("alpha: 1\nbeta: 2\n", "x.yaml:1:1: this is no spec: it has none of the keys"),
        (
            "data: [1, 2\nseed: 3\n",
            "x.yaml:2:5: YAML syntax: while parsing a flow sequence, expected ',' or ']'",
        ),
        ("data: a: b\n", "x.yaml:1:8: YAML syntax: mapping values are not allowed here"),
        ("\tdata: a\n", "x.yaml:1:1: YAML syntax: "),
        ("data: &a [*a]\nstages: []", "x.yaml:1:7: aliases that repeat or contain themselves"),
        ("data: !!python/object:os.system x\n", "x.yaml:1:7: unknown tag"),
        ("data: \x00\n", "x.yaml: YAML syntax: unacceptable character #x0000"),
        ("[" * 1000, "x.yaml: nested too deeply"),
        (b"data: \xff\xfe\n", "x.yaml: is not UTF-8 text (line 1, byte 6)"),
    ],
)
def test_unreadable_files_are_one_line(spec_file, text: str | bytes, said: str) -> None:
    lines = messages(spec_file(text))
    assert len(lines) == 1
    assert lines[0].startswith(said)


def test_every_duplicate_key_is_named_with_the_place_of_the_second(spec_file) -> None:
    text = GOOD + "data: digits\nsplit: {kfold: 3, kfold: 4}\n"
    assert messages(spec_file(text)) == [
        "x.yaml:7:1: key 'data' stands twice (first in line 1)",
        "x.yaml:8:19: key 'kfold' stands twice (first in line 8)",
    ]


def test_aliases_cannot_multiply(spec_file) -> None:
    rows = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert "aliases that repeat" in messages(spec_file("\n".join(rows)))[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("data: textures\n", "", "x.yaml:1:1: 'data' is missing"),
        ("  - sift: {max_keypoints: 100}\n", "", "x.yaml:3:5: stage 1 'root_sift' takes Descriptors, but it"),
        ("  - svm: {kernel: chi2, C: 10}\n", "", "x.yaml:5:5: the last stage 'bag_of_words' gives"),
        ("  - bag_of_words: {words: 20}\n", "", "x.yaml:5:5: stage 3 'svm' takes Features, but"),
        ("root_sift", "{root_sift: null, sift: null}", "x.yaml:4:5: a stage is one word, or one"),
        ("root_sift", "7", "x.yaml:4:5: a stage is one word, or one"),
        ("{words: 20}", "20", "x.yaml:5:19: the options of stage 'bag_of_words' must be"),
        ("words: 20", 'words: "20"', "x.yaml:5:27: option 'words' of stage 'bag_of_words' must be"),
        ("words: 20", "words: true", "x.yaml:5:27: option 'words' of stage 'bag_of_words' must be"),
        ("words: 20", "words: 20.0", "x.yaml:5:27: option 'words' of stage 'bag_of_words' must be"),
        ("C: 10", "C: .nan", "x.yaml:6:28: option 'C' of stage 'svm' must be a number above 0 or search, got nan"),
        ("C: 10", "C: .inf", "x.yaml:6:28: option 'C' of stage 'svm' must be a number above 0 or search, got inf"),
        ("C: 10", "C: 1e400", "x.yaml:6:28: option 'C' of stage 'svm' must be a number above 0 or search, got inf"),
        ("C: 10", "C: ten", "x.yaml:6:28: option 'C' of stage 'svm' must be a number above 0 or search, got 'ten'"),
        ("data: textures", "data: {textures: {size: 3, x: 1}}", "x.yaml:1:"),
        ("data: textures", "data: 3", "x.yaml:1:7: a data set is one word, or one word with its options, got 3"),
        ("data: textures", "data: textures\nsplit: {kfolds: 3}", "x.yaml:2:9: split must be one of kfold, holdout,"),
        ("data: textures", "data: textures\nsplit: {kfold: 3, holdout: 0.5}", "x.yaml:2:19: split must be one of"),
        ("data: textures", "data: textures\nsplit: {holdout: 1.5}", "x.yaml:2:18: split 'holdout' must be a number"),
        ("data: textures", "data: textures\nmetrics: []", "x.yaml:2:10: metrics must be a list of accuracy,"),
        ("data: textures", "data: textures\nseed: 1.5", "x.yaml:2:7: seed must be a whole number"),
    ],
)  # fmt: skip
def test_one_mistake(spec_file, old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert messages(spec_file(GOOD.replace(old, new)))[0].startswith(said)


def test_yaml_is_1_2(spec_file) -> None:
    assert parse("[1e-3, no, yes, 0o17, 2020-01-01, 1:30, ~]", "x").plain() == [
        0.001, "no", "yes", 15, "2020-01-01", "1:30", None]  # fmt: skip
    tolerance = load_spec(spec_file(GOOD.replace("words: 20", "tolerance: 1e-2"))).stages[2].tolerance  # type: ignore[attr-defined]
    assert tolerance == 0.01


def test_a_missing_file_names_the_nearest(spec_file, tmp_path: Path) -> None:
    spec_file(GOOD)
    near = "(did you mean 'x.yaml'?); `cvpipe init --list` lists all"
    assert messages("y.yaml") == [f"y.yaml: no such file, and no shipped spec of that name {near}"]
    assert "(did you mean 'sift_bow_svm'?)" in messages("sift_bow_swm")[0]
    assert messages("")[0].startswith("'': no such file")
    assert messages(".") == [".: is a folder, not a spec; it holds x.yaml"]
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    assert messages("loop.yaml") == ["loop.yaml: cannot be read: Too many levels of symbolic links"]


def test_a_file_wins_over_a_shipped_name(spec_file, tmp_path: Path) -> None:
    assert load_spec("sift_bow_svm").name == "sift_bow_svm"
    (tmp_path / "sift_bow_svm").write_text(GOOD + "name: mine\n")
    assert load_spec("sift_bow_svm").name == "mine"


def test_overrides(spec_file) -> None:
    changes = [
        "bag_of_words.words=7",
        "svm={kernel: linear}",
        "split={holdout: 0.5}",
        "split.repeats=2",
        "metrics=[accuracy]",
    ]
    spec = load_spec(spec_file(GOOD), [*changes, "root_sift={}", "name=other"], data="digits", seed=3)
    assert spec.stages[2].words == 7  # type: ignore[attr-defined]
    assert spec.stages[3].get_params()["C"] == 1.0
    assert spec.split.as_spec() == {"holdout": 0.5, "repeats": 2}
    assert (spec.name, spec.seed, spec.metrics, spec.data.name) == ("other", 3, ["accuracy"], "digits")


def test_an_override_of_a_stage_that_occurs_twice(spec_file) -> None:
    path = spec_file(GOOD.replace("  - root_sift\n", "  - root_sift\n  - root_sift\n"))
    assert messages(path, ["root_sift.x=1"]) == [
        "--set root_sift.x=1: stage 'root_sift' occurs 2 times in x.yaml: write root_sift[0] or root_sift[1]"
    ]
    assert messages(path, ["root_sift[1].x=1"]) == [
        "--set root_sift[1].x=1: unknown option 'x' of stage 'root_sift': it has no options"
    ]
    assert messages(path, ["root_sift[2].x=1"])[0].endswith("occurs 2 times in x.yaml, counted from 0")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("bag_of_words.clusters=3", "unknown option 'clusters' of stage 'bag_of_words'; it has words,"),
        ("bag_of_words.words=many", "option 'words' of stage 'bag_of_words' must be a whole"),
        ("bag_of_word.words=3", "no stage or key 'bag_of_word' in x.yaml (did you mean"),
        ("seeds=3", "no stage or key 'seeds' in x.yaml (did you mean 'seed'?)"),
        ("seed=x", "seed must be a whole number of at least 0, got 'x'"),
        ("seed", "must be KEY=VALUE"),
        ("=3", "must be KEY=VALUE"),
        ("seed.x=3", "'seed' has no options"),
        ("data.colour=3", "unknown option 'colour' of data set 'textures'"),
        ("split={kfold: 3", "YAML syntax: while parsing a flow mapping"),
        ("split={kfold: 3, kfold: 4}", "key 'kfold' stands twice"),
        ("split=", "split must be one of kfold,"),
    ],
)  # fmt: skip
def test_a_wrong_override(spec_file, change: str, said: str) -> None:
    text = GOOD + "seed: 0\n"
    assert messages(spec_file(text), [change])[0].startswith(f"--set {change}: {said}")


def test_another_data_set(spec_file, tmp_path: Path) -> None:
    path = spec_file(GOOD)
    (tmp_path / "notes.txt").touch()
    assert messages(path, data="texturs")[0].startswith(
        "--data texturs: no data set, folder or file 'texturs' (did you mean 'textures'?); it must be a data set"
    )
    assert messages(path, data="notes.txt")[0].startswith("--data notes.txt: 'notes.txt' is no .csv file")
    assert messages(path, data="")[0].startswith(
        "--data '': no data set, folder or file ''; it must be a data set"
    )
    assert messages(path, seed=-1) == ["--seed -1: seed must be a whole number of at least 0, got -1"]


def test_a_folder_and_a_table_as_data(spec_file, tmp_path: Path) -> None:
    path = spec_file(GOOD)
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.csv").touch()
    assert load_spec(path, data="photos").data.name == "folder"
    assert load_spec(path, data="labels.csv").data.name == "csv"
    for word, kind, what in (("photos", "folder", "folder"), ("labels.csv", "csv", "file")):
        said = f"x.yaml:1:7: unknown data set '{word}': it is a {what}; write `{{{kind}: {word}}}`"
        assert messages(spec_file(GOOD.replace("textures", word))) == [said]
    spec = load_spec({"data": {"folder": "photos"}, "stages": ["sift", "bag_of_words", "svm"]})
    assert spec.data.get_params()["path"] == "photos"


def test_paths_are_absolute_in_a_resolved_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    options = resolved_part(Whole(kfold=2, folder=Path("a/../b"), table="~/c", sizes=[3]))["whole"]  # type: ignore[arg-type]
    assert options["folder"] == str(tmp_path / "b")
    assert options["table"] == str(Path.home() / "c")
    assert options["mode"] == "a"


@pytest.mark.parametrize("name", shipped_specs())
def test_resolved_specs_are_complete_and_load_again(name: str, tmp_path: Path) -> None:
    resolved = load_spec(name).resolved()
    file = tmp_path / "spec.yaml"
    file.write_text(dump(resolved), encoding="utf-8")
    assert load_spec(file).resolved() == resolved
    for entry in resolved["stages"]:
        ((word, options),) = entry.items()
        assert list(options) == build_stage(word, options).parameters()
        assert options.get("seed", 0) is not None


def test_seeds_have_an_address(spec_file) -> None:
    resolved = load_spec(spec_file(GOOD), seed=5).resolved()
    assert resolved["stages"][2]["bag_of_words"]["seed"] == derive(5, "bag_of_words")
    assert (
        load_spec(spec_file(GOOD), ["bag_of_words.seed=8"]).resolved()["stages"][2]["bag_of_words"]["seed"]
        == 8
    )
    word = build_stage("bag_of_words")
    first, second = seeded([word, word], 5)
    assert (first.seed, second.seed) == (derive(5, "bag_of_words"), derive(5, "bag_of_words", 1))  # type: ignore[attr-defined]
    assert word.seed is None  # type: ignore[attr-defined]


def test_dumped_text_is_read_back_as_it_was() -> None:
    odd = {"a": ["no", "1e-3", "null", "", "x: y", "#", "äß", 1e-3, 1e300, None, True, -0.0, "a\nb"], "b": {}}
    assert parse(dump(odd), "x").plain() == odd


class Part(Stage):
    """A part of another stage."""

    scales: Count = 3


class Whole(Stage):
    """A stage with all kinds of options."""

    part: Stage | None = None  # another stage
    sizes: tuple[int, ...] = (1, 2)  # px
    # Written above the field,
    # in two lines.
    share: Fraction = 0.5
    mode: Literal["a", "b"] | Positive | None = "a"
    folder: Path = Path("x")
    table: PathText = "y"
    kfold: Annotated[int, Ge(2)]  # has no default
    seed: Seed = None


def built(monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Any, list[str]]:
    monkeypatch.setattr("cvpipe.registry.stage_class", {"part": Part, "whole": Whole}.__getitem__)
    problems: list[Problem] = []
    return build(Whole, to_node(options, "here"), problems), [problem.message for problem in problems]


def test_stages_as_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in ("part", {"part": {"scales": 3}}, {"part": None}, {"use": "part", "scales": 3}):
        whole, problems = built(monkeypatch, part=form, kfold=2)
        assert not problems
        assert isinstance(whole.part, Part)
        assert whole.part.scales == 3
    assert built(monkeypatch, part=None, kfold=2)[0].part is None
    assert built(monkeypatch, part={"use": "part", "scales": 0}, kfold=2)[1] == [
        "option 'scales' of stage 'part' must be a whole number of at least 1, got 0"
    ]
    filled = seeded([built(monkeypatch, part={"whole": {"kfold": 3}}, kfold=2)[0]], 1)[0]
    assert filled.part.seed not in (None, filled.seed)  # type: ignore[attr-defined]


def test_values_become_what_the_annotation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, problems = built(monkeypatch, sizes=[3, 4], folder="y", share=0.25, mode=2, kfold=2)
    assert not problems
    assert (whole.sizes, whole.folder, whole.share, whole.mode) == ((3, 4), Path("y"), 0.25, 2.0)
    _, problems = built(monkeypatch, sizes=[3, "x"], share=1, mode="c", folder=3)
    assert problems == [
        "option 'sizes' of stage 'whole' must be a list, each a whole number, got [3, \"x\"]",
        "option 'share' of stage 'whole' must be a number above 0 and below 1, got 1",
        "option 'mode' of stage 'whole' must be a, b, a number above 0 or null, got 'c'",
        "option 'folder' of stage 'whole' must be a path, got 3",
        "option 'kfold' of stage 'whole' is missing: it must be a whole number of at least 2",
    ]


def test_objects_made_in_python_are_checked_too() -> None:
    assert option_problems(Whole(kfold=3, part=Part(scales=2))) == []
    assert option_problems(Whole(kfold=3, mode=10**400))  # infinite as a float
    wrong = Whole(kfold=1, part=Part(scales=0), share=math.nan, mode=math.inf)
    assert option_problems(wrong) == [
        "option 'scales' of stage 'part' must be a whole number of at least 1, got 0",
        "option 'share' of stage 'whole' must be a number above 0 and below 1, got nan",
        "option 'mode' of stage 'whole' must be a, b, a number above 0 or null, got inf",
        "option 'kfold' of stage 'whole' must be a whole number of at least 2, got 1",
    ]


def test_help_comes_from_the_comments() -> None:
    found = {option.name: (option.type_text, option.default, option.text) for option in option_help(Whole)}
    assert found == {
        "part": ("stage | null", "null", "another stage"),
        "sizes": ("list of (whole number)", "[1, 2]", "px"),
        "share": ("number > 0, < 1", "0.5", "Written above the field, in two lines."),
        "mode": ("a | b | number > 0 | null", "a", ""),
        "folder": ("path", "x", ""),
        "table": ("path", "y", ""),
        "kfold": ("whole number >= 2", "required", "has no default"),
        "seed": ("whole number >= 0 | null", "null", ""),
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (((Part(scales=2), Part()),), "[[{part: {scales: 2}}, part]]"),
        (Whole(kfold=3, part=Part(scales=4)), "{whole: {part: {part: {scales: 4}}, kfold: 3}}"),
        (["l1", "none", "null", "True", "3", "a: b", ""], '[l1, none, "null", "True", "3", "a: b", ""]'),
        ({"flip": True, "turn": None}, "{flip: true, turn: null}"),
        (Path("a/b.pt"), "a/b.pt"),
        (1e-05, "1e-05"),
    ],
)
def test_a_value_as_one_writes_it(value: Any, text: str) -> None:
    assert as_written(value) == text
    read = parse(text, "x").plain()
    if isinstance(value, list | dict | float):
        assert read == value


@pytest.mark.parametrize("word", [word for word in registry.stage_names() if word != "frozen"])
def test_every_default_can_be_copied_from_the_help_into_a_spec(word: str) -> None:
    plain = resolved_part(build_stage(word))
    for option in option_help(registry.stage_class(word)):
        copied = build_stage(word, {option.name: parse(option.default, "x").plain()})
        assert resolved_part(copied) == plain


def test_wording() -> None:
    assert (mean_and_spread("76.8", "1.2", 5), mean_and_spread("76.8", "0.0", 1)) == ("76.8 ± 1.2", "76.8")
    assert type_phrase(Literal["l1", "l2", "none"]) == "one of l1, l2 or none"
    assert type_phrase(Annotated[int, Ge(2)] | None) == "a whole number of at least 2 or null"
    assert type_text(bool) == "true | false"
    assert type_text(tuple[int, float]) == "list of 2: (whole number; number)"


def test_schema_knows_what_the_loader_knows() -> None:
    from cvpipe.registry import stage_names

    schema = json_schema()
    forms = schema["$defs"]["stage"]["oneOf"]
    assert sorted(word for form in forms[1:] for word in form["properties"]) == stage_names()
    words = next(f for f in forms if "bag_of_words" in f.get("properties", ()))["properties"]["bag_of_words"]
    option = words["anyOf"][0]["properties"]["words"]
    assert (option["type"], option["minimum"], option["default"]) == ("integer", 1, 500)
    assert option["description"].startswith("visual words")


@pytest.mark.parametrize("name", shipped_specs())
def test_shipped_specs_fit_the_schema(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from cvpipe.spec.find import read_spec

    validator = jsonschema.Draft202012Validator(json_schema())
    validator.check_schema(validator.schema)
    good = parse(read_spec(name)[0], name).plain()
    validator.validate(good)
    validator.validate(load_spec(name).resolved())
    assert list(validator.iter_errors(good | {"stages": [{"sift": {"max_keypoints": "many"}}]}))
    assert list(validator.iter_errors(good | {"sed": 1}))


def test_a_class_without_source_has_no_comments() -> None:
    typed = type("Typed", (Configurable,), {"__annotations__": {"x": int}, "x": 1})
    assert option_help(typed)[0].text == ""
