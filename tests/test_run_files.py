"""Runs read back: `diff`, `verify` and `cite`, and what they say about folders that are no whole runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from cvpipe_cli.main import main
from PIL import Image

import cvpipe
from cvpipe.comparison.difference import changed, differences, spec_lines
from cvpipe.comparison.run_files import read_run
from cvpipe.report import folder

SPEC = """\
name: small
data: {folder: photos}
split: {kfold: 2}
stages: [raw_pixels, {knn: {k: 1}}]
"""


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in arguments])


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, class_folders: Callable[..., Path]) -> Path:
    """A working folder with eight pictures of two classes, which a nearest neighbour mostly gets wrong."""
    monkeypatch.chdir(tmp_path)
    class_folders({"cat": 8, "dog": 8}, tmp_path / "photos")
    (tmp_path / "small.yaml").write_text(SPEC)
    return tmp_path


def made(out: str, *options: str) -> Path:
    done = call("run", "small.yaml", "--quiet", "--out", out, *options)
    assert done.exit_code == 0, done.stderr
    return Path(out)


def test_names_with_ends_of_lines_in_them_are_read_back(photos: Path) -> None:
    """U+2028 ends a line for Python, not for CSV; a carriage return ends one for both, and is quoted."""
    names = ["a\u2028b.png", "a\x85b.png", "a\rb.png", "a\x0cb.png"]
    for name, file in zip(names, sorted((photos / "photos" / "cat").iterdir()), strict=False):
        file.rename(file.with_name(name))
    rows = read_run(made("odd")).predictions
    assert {f"cat/{name}" for name in names} <= {row.id for row in rows}


# diff


def test_a_run_does_not_differ_from_itself(photos: Path) -> None:
    done = call("diff", made("a"), made("b"))
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "--- a", "+++ b", "spec: the same", "data: the same", "environment: the same", "scores: the same",
        "predictions: the same",
    ]  # fmt: skip
    assert json.loads(call("diff", "a", "b", "--json").stdout)[0] == {"title": "spec", "lines": []}


def test_what_differs_is_told_line_by_line(photos: Path) -> None:
    made("a", "--jobs", "1")
    made("b", "--jobs", "2", "--set", "knn.k=3", "--set", "raw_pixels.size=8")
    done = call("diff", "a", "b")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[lines.index("spec") + 1 : lines.index("data: the same")] == [
        f"- raw_pixels.size: {cvpipe.load_spec('small.yaml').stages[0].get_params()['size']}",
        "+ raw_pixels.size: 8",
        "- knn.k: 1",
        "+ knn.k: 3",
    ]
    assert lines[lines.index("environment") + 1 : lines.index("environment") + 3] == [
        "- jobs: 1",
        "+ jobs: 2",
    ]


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm")])
def test_colours_are_for_terminals_that_want_them(
    photos: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    made("a"), made("b", "--seed", "1")
    for command in (("diff", "a", "b"), ("verify", "a", "--quiet")):
        edited(photos / "a", lambda s: s["scores"]["macro_f1"].update(values=[0.5, 0.5], mean=0.5))
        done = CliRunner().invoke(main, command, color=True)
        assert done.exit_code == 1
        assert ("\x1b[31m" in done.stdout) == (value == "xterm")


def edited(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    summary = json.loads((folder / "result.json").read_text())
    change(summary)
    (folder / "result.json").write_text(json.dumps(summary))


def unsealed(folder: Path) -> None:
    """As a run of an earlier version, which knew no hashes; the accuracy follows from the rows."""
    rows = [row.split(",") for row in (folder / "predictions.csv").read_text().splitlines()[1:]]
    values = [float(np.mean([r[2] == r[3] for r in rows if r[1] == split])) for split in ("0", "1")]

    def change(summary: dict[str, Any]) -> None:
        summary.pop("sha256", None)
        summary["scores"]["accuracy"].update(values=values, mean=float(np.mean(values)))

    edited(folder, change)


def test_scores_and_predictions_are_counted(photos: Path) -> None:
    made("a"), made("b")
    rows = (photos / "b" / "predictions.csv").read_text().splitlines()
    other = {"cat": "dog", "dog": "cat"}
    for place in (1, 2, 3):
        name, split, truth, prediction, score = rows[place].split(",")
        rows[place] = ",".join([name, split, truth, other[prediction], score])
    name, split, truth, prediction, _ = rows[4].split(",")
    rows[4] = ",".join([name, split, truth, prediction, "0.123"])
    (photos / "b" / "predictions.csv").write_text("\n".join(rows) + "\n")
    unsealed(photos / "b")
    edited(photos / "b", lambda summary: summary["environment"]["libraries"].update(numpy="0.1"))
    sections = {s.title: list(map(str, s.lines)) for s in differences(read_run("a"), read_run("b"))}
    assert sections["environment"] == [f"- numpy: {np.__version__}", "+ numpy: 0.1"]
    before = [row.split(",") for row in (photos / "a" / "predictions.csv").read_text().splitlines()[1:4]]
    right = sum(row[2] == row[3] for row in before)
    assert sections["scores"][-1] == f"  accuracy: {100 * (3 - 2 * right) / 16:+.2f} points"
    assert len(sections["scores"]) == 3
    assert sections["predictions"] == [
        f"  3 of 16 predictions differ: {3 - right} right in the second only, {right} right in the first only, "
        "0 wrong in both",
        "  1 of 16 predictions are the same with another score",
    ]


def test_runs_with_other_splits_are_compared_image_by_image(photos: Path) -> None:
    made("a"), made("b", "--set", "split={kfold: 4}")
    sections = {s.title: list(map(str, s.lines)) for s in differences(read_run("a"), read_run("b"))}
    assert sections["spec"] == ["- split.kfold: 2", "+ split.kfold: 4"]
    assert not any("only this run has" in line for line in sections["predictions"])
    made("c", "--set", "split={kfold: 2, repeats: 2}")
    sections = {s.title: list(map(str, s.lines)) for s in differences(read_run("a"), read_run("c"))}
    assert sections["predictions"] == [
        "+ 16 predictions that only this run has, such as 'cat/"
        + sections["predictions"][0].partition("'cat/")[2]
    ]
    assert sections["predictions"][0].endswith("in split 2")


def test_what_is_gone_stands_before_what_came() -> None:
    before = ["name: photos", "images: 16", "fingerprint: 4a5f", "note: "]
    after = ["name: photos", "images: 17", "fingerprint: 94a5", "class: 3", "note: "]
    assert list(map(str, changed(before, after))) == [
        "- images: 16", "- fingerprint: 4a5f", "+ images: 17", "+ fingerprint: 94a5", "+ class: 3",
    ]  # fmt: skip
    assert list(map(str, changed(before[1:], ["fingerprint: bbbb", "note: "]))) == [
        "- images: 16", "- fingerprint: 4a5f", "+ fingerprint: bbbb",
    ]  # fmt: skip
    assert list(map(str, changed(["a.k: 1", "a.k: 2"], ["a.k: 3", "a.k: 4"]))) == [
        "- a.k: 1", "+ a.k: 3", "- a.k: 2", "+ a.k: 4",
    ]  # fmt: skip


def test_branches_of_a_spec_are_lines_too() -> None:
    branches = [[{"sift": {"max_keypoints": 5}}, {"root_sift": {}}], [{"lbp": {}}]]
    stages = [{"join": {"branches": branches}}]
    assert spec_lines({"seed": 0, "data": {"folder": {"path": "/x"}}, "stages": stages}) == [
        "seed: 0", 'data.folder.path: "/x"', "join.branches[0][0].sift.max_keypoints: 5",
        "join.branches[0][1].root_sift", "join.branches[1][0].lbp",
    ]  # fmt: skip


def test_times_are_no_difference(photos: Path) -> None:
    made("a"), made("b")
    edited(photos / "b", lambda summary: summary.update(total_s=1e6))
    assert call("diff", "a", "b").exit_code == 0


# damage


def cut(file: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / file).write_bytes((folder / file).read_bytes()[:-25])

    return damage


def another_format(folder: Path) -> None:
    edited(folder, lambda summary: summary.update(format=7, environment={"cvpipe": "9.1"}))


def a_row_less(folder: Path) -> None:
    rows = (folder / "predictions.csv").read_text().splitlines()
    (folder / "predictions.csv").write_text("\n".join(rows[:-1]) + "\n")


def in_row(folder: Path, line: int, **cells: str) -> None:
    lines = (folder / "predictions.csv").read_text().splitlines()
    row = dict(zip(lines[0].split(","), lines[line - 1].split(","), strict=True)) | cells
    lines[line - 1] = ",".join(row.values())
    (folder / "predictions.csv").write_text("\n".join(lines) + "\n")


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "gone": (shutil.rmtree, "run: no such folder"),
    "empty": (lambda f: [path.unlink() for path in f.glob("*.*")], "run: no run here: result.json is missing"),
    "unfinished": (lambda f: (f / "result.json").unlink(), "run: the run did not finish: it has no result.json"),
    "half a result": (cut("result.json"), "run/result.json: damaged: it is no complete JSON"),
    "a list": (lambda f: (f / "result.json").write_text("[]"), "run/result.json: damaged: it is no JSON object"),
    "a text as score": (
        lambda f: edited(f, lambda s: s["scores"]["accuracy"].update(mean="x")),
        "run/result.json: damaged: it lacks scores.accuracy",
    ),
    "no interval": (
        lambda f: edited(f, lambda s: s["scores"]["accuracy"].pop("ci95")),
        "run/result.json: damaged: it lacks scores.accuracy",
    ),
    "no costs and baseline": (
        lambda f: edited(f, lambda s: [s["stages"][1].pop("fit_s"), s.pop("baseline"), s["data"].pop("images")]),
        "run/result.json: damaged: it lacks baseline, data.images, baseline.accuracy, baseline.macro_f1, stages[1]",
    ),
    "another mean": (
        lambda f: edited(f, lambda s: s["scores"]["macro_f1"].update(mean=0.99)),
        "run: damaged: the mean of macro_f1 in result.json is not that of its values",
    ),
    "another accuracy": (
        lambda f: edited(f, lambda s: s["scores"]["accuracy"].update(values=[0.99, 0.99], mean=0.99)),
        "run: damaged: split 0 of predictions.csv has an accuracy of ",
    ),
    "another spec": (
        lambda f: (f / "spec.yaml").write_text((f / "spec.yaml").read_text() + "foo: 1\n"),
        "run: spec.yaml was changed after the run",
    ),
    "another score": (
        lambda f: in_row(f, 5, score="0.123"),
        "run: predictions.csv was changed after the run",
    ),
    "a word as score": (
        lambda f: in_row(f, 3, score="abc"),
        "run/predictions.csv:3: damaged: the score 'abc' is no number",
    ),
    "a word as split": (
        lambda f: in_row(f, 3, split="zero"),
        "run/predictions.csv:3: damaged: the split 'zero' is no whole number",
    ),
    "an unknown class": (
        lambda f: in_row(f, 3, prediction="dgo"),
        "run/predictions.csv:3: damaged: the class 'dgo' is none of those in result.json (did you mean 'dog'?)",
    ),
    "no scores": (
        lambda f: edited(f, lambda s: [s.pop("scores"), s["data"].pop("fingerprint")]),
        "run/result.json: damaged: it lacks scores, data.fingerprint",
    ),
    "half a score": (
        lambda f: edited(f, lambda s: s["scores"]["accuracy"].pop("mean")),
        "run/result.json: damaged: it lacks scores.accuracy",
    ),
    "later format": (
        another_format,
        "run/result.json: has format 7, of cvpipe 9.1; this cvpipe reads format 1",
    ),
    "no predictions": (
        lambda f: (f / "predictions.csv").unlink(),
        "run/predictions.csv: missing: the run is not whole",
    ),
    "bytes": (
        lambda f: (f / "predictions.csv").write_bytes(b"\xff\xfe\x00"),
        "run/predictions.csv: damaged: it is no UTF-8 text",
    ),
    "another table": (
        lambda f: (f / "predictions.csv").write_text("a,b\n"),
        "run/predictions.csv: damaged: its first line is not id,split,truth,prediction,score",
    ),
    "a short line": (
        cut("predictions.csv"),
        "run/predictions.csv:16: damaged: 4 columns instead of 5",
    ),
    "a row less": (
        a_row_less,
        "run/predictions.csv: has 15 rows, but result.json tells of 16 predictions",
    ),
    "a list as spec": (lambda f: (f / "spec.yaml").write_text("- 1\n"), "run/spec.yaml: damaged: it is no mapping"),
    "half a spec": (lambda f: (f / "spec.yaml").write_text("a: [1\n"), "run/spec.yaml: damaged: it is no YAML"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_one_line_and_exit_code_3(photos: Path, damage: str) -> None:
    made("whole")
    shutil.copytree("whole", "run")
    harm, said = DAMAGES[damage]
    harm(Path("run"))
    for done in (
        call("diff", "whole", "run"),
        call("diff", "run", "whole"),
        call("verify", "run", "--quiet"),
        call("show", "run"),
    ):
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr.startswith(said), done.stderr
        assert done.stderr.count("\n") == 1


def test_a_file_is_no_run(photos: Path) -> None:
    done = call("diff", "small.yaml", "small.yaml")
    assert (done.exit_code, done.stderr) == (
        3,
        "small.yaml: not a folder; a run is a folder with result.json\n",
    )


# verify


def test_a_run_is_verified(photos: Path) -> None:
    made("a", "--jobs", "1")
    done = call("verify", "a", "--quiet", "--jobs", "2")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "identical: a was run again and gave the same 16 predictions and scores\n"
    told = json.loads(call("verify", "a", "--json", "--out", "again").stdout)
    assert told == {"identical": True, "rows": 16, "differing": 0, "lines": []}
    assert (photos / "again" / "predictions.csv").read_text() == (
        photos / "a" / "predictions.csv"
    ).read_text()


def test_the_cache_is_not_trusted(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cvpipe.conductor import store

    made("a")
    monkeypatch.setattr(store, "default_folder", lambda: pytest.fail("the cache was opened"))
    assert call("verify", "a", "--quiet").exit_code == 0


def test_a_smoke_run_is_verified_as_one(photos: Path) -> None:
    made("a", "--smoke")
    assert call("verify", "a", "--quiet").exit_code == 0


def test_other_numbers_are_told(photos: Path) -> None:
    made("a")
    text = (photos / "a" / "predictions.csv").read_text().splitlines()
    text[3] = text[3].rsplit(",", 1)[0] + ",0.25"
    (photos / "a" / "predictions.csv").write_text("\n".join(text) + "\n")
    unsealed(photos / "a")
    done = call("verify", "a", "--quiet")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "different: 1 of 16 rows of predictions.csv",
        "  1 of 16 predictions are the same with another score",
    ]
    assert lines[2].startswith("- ")
    assert lines[2].endswith(" 0.25")
    assert lines[3].startswith("+ ")
    assert lines[4] == (
        "  the same versions on the same machine: a stage does not give the same twice, or the files of the run "
        "were changed since"
    )
    edited(photos / "a", lambda s: s["environment"]["libraries"].update(numpy="0.1"))
    lines = call("verify", "a", "--quiet").stdout.splitlines()
    assert lines[4:] == ["  other versions since then:", "- numpy: 0.1", f"+ numpy: {np.__version__}"]


def test_a_stage_that_does_not_give_the_same_twice(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made("a")
    fair = folder.predictions_csv
    monkeypatch.setattr(folder, "predictions_csv", lambda result: fair(result).replace(",1\n", ",0.5\n", 1))
    done = call("verify", "a", "--quiet")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[-1] == "  the same versions on the same machine: a stage does not give the same twice"


def test_scores_that_are_not_those_of_the_rows(photos: Path) -> None:
    made("a")
    edited(photos / "a", lambda s: s["scores"]["macro_f1"].update(values=[0.5, 0.5], mean=0.5))
    done = call("verify", "a", "--quiet")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "different: 0 of 16 rows of predictions.csv"
    assert lines[-1] == "  the predictions are the same: the scores in result.json are not those of this run"


def test_other_versions_that_change_nothing_are_no_difference(photos: Path) -> None:
    made("a")
    edited(photos / "a", lambda s: s["environment"]["libraries"].update(numpy="0.1"))
    assert call("verify", "a", "--quiet").exit_code == 0


def mirrored(path: Path) -> None:
    Image.fromarray(np.asarray(Image.open(path))[:, ::-1]).save(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda photos: mirrored(photos / "cat" / "0.png"), "the same images by name, but other contents or labels"),
        (lambda photos: (photos / "cat" / "0.png").unlink(), "1 gone ('cat/0.png')"),
        (lambda photos: shutil.copy(photos / "cat" / "0.png", photos / "dog" / "x.png"), "1 new ('dog/x.png')"),
        (lambda photos: [(photos / "cat" / f"{i}.png").rename(photos / "dog" / f"x{i}.png") for i in (1, 2)],
         "2 gone ('cat/1.png', …) and 2 new ('dog/x1.png', …)"),
    ],
)  # fmt: skip
def test_data_that_have_changed_since(photos: Path, change: Callable[[Path], Any], said: str) -> None:
    made("a")
    change(photos / "photos")
    done = call("verify", "a", "--quiet")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith(f"a: the data have changed since: {said} (fingerprint ")
    assert done.stderr.count("\n") == 1


def test_data_that_are_gone(photos: Path) -> None:
    made("a")
    shutil.rmtree(photos / "photos")
    done = call("verify", "a", "--quiet")
    assert done.exit_code == 3
    assert done.stderr == f"{photos / 'photos'}: no such folder\n"


def test_what_cannot_be_verified(photos: Path) -> None:
    made("a")
    same = call("verify", "a", "--out", "a")
    assert (same.exit_code, same.stderr) == (2, "a: --out is the run itself; it would be overwritten\n")
    spec = (photos / "a" / "spec.yaml").read_text()
    unsealed(photos / "a")
    (photos / "a" / "spec.yaml").write_text(spec.replace("raw_pixels", "raw_pixles"))
    unknown = call("verify", "a", "--quiet")
    assert unknown.exit_code == 3
    assert "unknown stage 'raw_pixles' (did you mean 'raw_pixels'?)" in unknown.stderr
    (photos / "a" / "spec.yaml").write_text("{}\n")
    python = call("verify", "a", "--quiet")
    assert (python.exit_code, python.stderr) == (
        3,
        "a: the pipeline was made in Python: there is no spec to run again\n",
    )


def test_results_say_their_format(photos: Path) -> None:
    result = cvpipe.run("small.yaml")
    assert result.summary()["format"] == 1
