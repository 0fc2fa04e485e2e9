"""Whole comparisons of small pipelines: what they find, write, share, take up again, and refuse."""

from __future__ import annotations

import csv
import json
import os
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
from cvpipe.comparison.feature_rows import read_features
from cvpipe.comparison.load import load_comparison
from cvpipe.comparison.result import Comparison
from cvpipe.conductor.progress import Progress
from cvpipe.errors import DataError, RunError, SpecError
from cvpipe.report.comparison.feature_map import FEWEST

KNN = {"name": "pixels", "stages": [{"raw_pixels": {"size": 8}}, {"knn": {"k": 1}}]}
HISTOGRAM = {"name": "colours", "stages": ["colour_histogram", "knn"]}
NEGATIVE = {"name": "broken", "stages": ["raw_pixels", "standardize", {"svm": {"kernel": "chi2"}}]}
SPLIT = {"kfold": 3}
FILES = ["comparison.csv", "comparison.json", "comparison.md", "comparison.tex", "runs", "suite.yaml"]


class Notes(Progress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)

    @property
    def turns(self) -> list[str]:
        return [text.partition(": ")[2] for text in self.texts if text.startswith("candidate ")]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of twelve images: two colours, and one of both."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for label, colour in (("blue", (40, 60, 200)), ("green", (40, 190, 60)), ("teal", (40, 150, 140))):
        (root / label).mkdir()
        for i in range(12):
            pixels = np.clip(rng.normal(colour, 60, (16, 20, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / label / f"{i:02d}.png")
    return root


def specs(*plain: dict[str, Any], data: Path) -> list[dict[str, Any]]:
    return [{"data": {"folder": str(data)}, "split": SPLIT, **one} for one in plain]


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    out = tmp_path_factory.mktemp("comparison")
    return cvpipe.compare(specs(KNN, NEGATIVE, HISTOGRAM, data=photos), out=out)


@pytest.fixture
def again(made: Comparison, tmp_path: Path) -> Path:
    """A copy of the finished comparison's folder."""
    assert made.folder is not None
    shutil.copytree(made.folder, tmp_path / "again")
    return tmp_path / "again"


def cli(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_same_images_same_splits_and_the_numbers_of_single_runs(made: Comparison, photos: Path) -> None:
    for plain in (KNN, HISTOGRAM):
        alone = cvpipe.run(specs(plain, data=photos)[0])
        candidate = made.candidate(str(plain["name"]))
        assert candidate.scores["accuracy"].values == alone.scores["accuracy"].values
        assert candidate.answers is not None
        rows = np.concatenate([split.test for split in alone.splits])
        assert candidate.answers.ids.tolist() == [alone.dataset.images.ids[row] for row in rows]
        labels = np.concatenate([split.predictions.labels for split in alone.splits])
        assert candidate.answers.prediction.tolist() == labels.tolist()
    assert made.data["images"] == 36
    assert (made.metric, made.split, made.seed) == ("accuracy", SPLIT, 0)


def test_one_that_fails_is_a_row_with_its_reason(made: Comparison) -> None:
    broken = made.candidate("broken")
    assert broken.status == "failed"
    assert "chi2" in broken.reason
    assert "\n" not in broken.reason
    assert [candidate.name for candidate in made.failed] == ["broken"]
    assert {candidate.name for candidate in made.ranked} == {"pixels", "colours"}
    assert len(made.pairs) == 1
    assert made.sentences[-1] == f"`broken` failed: {broken.reason}."


def test_costs_are_beside_scores(made: Comparison) -> None:
    costs = {c.name: c.costs for c in made.ranked if c.costs}
    assert costs["pixels"].dimension == 8 * 8
    assert costs["colours"].dimension == 8**3
    for cost in costs.values():
        assert 0 < cost.predict_ms_per_image < 500
        assert cost.predict_ms_per_image == pytest.approx(sum(s["predict_ms_per_image"] for s in cost.stages))
        assert cost.fit_s is not None
        assert cost.fit_s > 0
        assert cost.peak_rss_mb > 50
        assert cost.model_mb > 0
    assert [stage["name"] for stage in costs["pixels"].stages] == ["raw_pixels", "knn"]


def test_the_folder(made: Comparison) -> None:
    assert made.folder is not None
    assert [path.name for path in sorted(made.folder.iterdir()) if path.name != "comparison.html"] == FILES
    summary = json.loads((made.folder / "comparison.json").read_text())
    assert summary == json.loads(json.dumps(made.summary()))
    assert summary["ranking"] == [candidate.name for candidate in made.ranked]
    assert summary["candidates"][0]["folder"] == "runs/pixels"
    assert (made.folder / "runs" / "pixels" / "report.html").exists()
    with open(made.folder / "comparison.csv", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok", "ok", "failed"]


def test_a_comparison_read_back_is_the_same(made: Comparison) -> None:
    assert made.folder is not None
    loaded = load_comparison(made.folder)
    assert loaded.summary() == made.summary()
    for one, other in zip(loaded.ranked, made.ranked, strict=True):
        assert one.answers is not None
        assert other.answers is not None
        assert one.answers.prediction.tolist() == other.answers.prediction.tolist()
        np.testing.assert_array_equal(one.answers.score, other.answers.score)


@pytest.mark.slow
def test_its_suite_gives_it_again(again: Path, tmp_path: Path, made: Comparison) -> None:
    other = cvpipe.compare(again / "suite.yaml", out=tmp_path / "other")
    for name in ("pixels", "colours"):
        assert other.candidate(name).scores == made.candidate(name).scores
    assert other.pairs == made.pairs
    assert other.sentences == made.sentences


def test_places_on_maps_are_kept_with_the_runs_that_are_shown(made: Comparison) -> None:
    """They are found once, and not again whenever the page is made."""
    found = [read_features(candidate.folder) for candidate in made.ranked]
    shown = [rows for rows in found if rows is not None and len(rows.ids) >= FEWEST]
    assert shown
    assert all(rows.tsne is not None for rows in shown)


def test_finished_candidates_are_not_run_again(again: Path, photos: Path, made: Comparison) -> None:
    notes = Notes()
    result = again / "runs" / "pixels" / "result.json"
    before = result.stat().st_mtime_ns
    found = cvpipe.compare(specs(KNN, NEGATIVE, HISTOGRAM, data=photos), out=again, progress=notes)
    assert notes.turns == ["pixels, finished before", "broken", "colours, finished before"]
    assert result.stat().st_mtime_ns == before
    assert found.pairs == made.pairs


def test_runs_of_others_in_the_folder_are_named(again: Path) -> None:
    line = f"still in {again / 'runs'}, but not part of this comparison: "
    assert line not in cli("show", again).stdout
    for number in range(3):
        shutil.copytree(again / "runs" / "pixels", again / "runs" / f"old_{number}")
    (again / "runs" / "notes.txt").touch()
    said = [text for text in cli("show", again).stdout.splitlines() if text.startswith(line)]
    assert said == [f"{line}3 runs of other candidates (old_0, old_1 and old_2)"]
    for number in range(3, 8):
        (again / "runs" / f"old_{number}").mkdir()
    assert "(old_0, old_1, old_2, old_3, old_4 and 3 more)" in cli("show", again).stdout
    assert load_comparison(again).candidate("pixels").ok
    assert sorted(path.name for path in (again / "runs").iterdir() if path.name.startswith("old")) == [
        f"old_{number}" for number in range(8)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["spec", "predictions", "record", "missing", "data", "seed"])
def test_what_is_not_as_it_was_is_run_again(again: Path, photos: Path, tmp_path: Path, damage: str) -> None:
    run, changed, options = again / "runs" / "pixels", dict(KNN), {}
    if damage == "spec":
        changed["stages"] = ["raw_pixels", {"knn": {"k": 3}}]
    elif damage == "predictions":
        (run / "predictions.csv").write_text(
            (run / "predictions.csv").read_text().replace(",blue", ",teal", 1)
        )
    elif damage == "record":
        (run / "candidate.json").write_text('{"key": 3}')
    elif damage == "missing":
        (run / "result.json").unlink()
    elif damage == "seed":
        options = {"seed": 5}
    elif damage == "data":
        shutil.copytree(photos, tmp_path / "photos")
        os.replace(tmp_path / "photos" / "teal" / "00.png", tmp_path / "photos" / "teal" / "12.png")
        photos = tmp_path / "photos"
    notes = Notes()
    found = cvpipe.compare(specs(changed, HISTOGRAM, data=photos), out=again, progress=notes, **options)
    other = "colours" if damage in ("data", "seed") else "colours, finished before"
    assert notes.turns == ["pixels", other]
    assert all(candidate.ok for candidate in found.candidates)


def test_an_interrupted_comparison_goes_on(photos: Path, tmp_path: Path) -> None:
    class Interrupting(Notes):
        def note(self, text: str) -> None:
            super().note(text)
            if text == "candidate 3 of 3: colours":
                raise KeyboardInterrupt

    three = specs(
        KNN, {**KNN, "name": "more", "stages": [KNN["stages"][0], {"knn": {"k": 3}}]}, HISTOGRAM, data=photos
    )
    with pytest.raises(KeyboardInterrupt):
        cvpipe.compare(three, out=tmp_path, progress=Interrupting())
    assert not (tmp_path / "comparison.json").exists()
    notes = Notes()
    cvpipe.compare(three, out=tmp_path, progress=notes)
    assert notes.turns[0] == "pixels, finished before"  # the second was perhaps still writing
    assert notes.turns[2] == "colours"


def test_learning_curves(photos: Path, tmp_path: Path) -> None:
    found = cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path, train_sizes=[2, 8, 4])
    for candidate in found.candidates:
        assert [point.train_size for point in candidate.curve] == [2, 4, 8]
        assert (
            candidate.curve[-1].values == candidate.scores["accuracy"].values
        )  # 8 of each class is all of them
        assert all(len(point.values) == 3 for point in candidate.curve)
    assert "| 2 | 4 | 8 |" in (tmp_path / "comparison.md").read_text()
    assert load_comparison(tmp_path).candidates[0].curve == found.candidates[0].curve


@pytest.mark.slow
def test_repeats_and_another_metric(photos: Path, tmp_path: Path) -> None:
    found = cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path, repeats=2, metrics=["macro_f1"])
    assert found.metric == "macro_f1"
    assert len(found.candidates[0].scores["macro_f1"].values) == 6
    assert found.pairs[0].tests[0].name == "corrected_t"


def test_stages_that_are_shared_are_computed_once(photos: Path, tmp_path: Path) -> None:
    pixels = {"raw_pixels": {"size": 13}}  # computed in no other test
    pair = [
        {"name": "one", "stages": [pixels, "knn"]},
        {"name": "two", "stages": [pixels, {"knn": {"k": 3}}]},
    ]
    cvpipe.compare(specs(*pair, data=photos), out=tmp_path)
    cached = [json.loads((tmp_path / "runs" / name / "result.json").read_text())["stages"][0]["cached"]
              for name in ("one", "two")]  # fmt: skip
    assert cached == [False, True]


# mistakes, by their messages and exit codes


def test_stages_in_stages(photos: Path, tmp_path: Path) -> None:
    filters = {"kmeans_filters": {"filters": 4, "patches": {"random_patches": {"size": 4, "count": 20}}}}
    plain = [{"name": f"filters_{k}", "stages": [filters, {"knn": {"k": k}}]} for k in (1, 3)]
    found = cvpipe.compare(specs(*plain, data=photos), out=tmp_path / "out")
    assert [candidate.status for candidate in found.candidates] == ["ok", "ok"]


def test_too_few_images_for_a_train_size(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path, train_sizes=[2, 9])
    assert caught.value.exit_code == 3
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("class 'blue' has 8 training images in split 0, fewer than the 9 asked for")
    assert len(lines) == 3
    assert not list((tmp_path / "runs").iterdir())  # known before anything ran


@pytest.mark.slow
def test_where_all_fail_the_reason_is_said(photos: Path, tmp_path: Path) -> None:
    wrong = [{**one, "split": {"kfold": 13}} for one in specs(KNN, HISTOGRAM, data=photos)]
    with pytest.raises(DataError, match=r"no candidate finished: .* fewer than the 13 folds") as caught:
        cvpipe.compare(wrong, out=tmp_path)
    assert caught.value.exit_code == 3
    with pytest.raises(RunError) as several:
        cvpipe.compare(specs(NEGATIVE, {**NEGATIVE, "name": "other"}, data=photos), out=tmp_path)
    assert str(several.value).startswith("no candidate finished")


def test_a_folder_that_is_not_ours(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "comparison.csv").write_text("mine")
    with pytest.raises(
        SpecError, match=r"has a comparison.csv that no comparison wrote; choose another --out"
    ):
        cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["comparison.csv"]


def test_the_folder_of_a_run_is_left_alone(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(SpecError, match=r"is of a run; choose another --out"):
        cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_at_the_start(photos: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(RunError, match="cannot write a comparison here: Permission denied") as caught:
        cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path / "x")
    assert caught.value.exit_code == 4


def test_a_place_that_cannot_be_written(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write a comparison here: Not a directory"):
        cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path / "file" / "x")


@pytest.mark.slow
def test_no_permission_half_way(photos: Path, tmp_path: Path) -> None:
    """The run's folder cannot be made: that candidate fails, the others go on. The tables cannot be written: an error,
    and no comparison.json."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "pixels").write_text("a file in the way")
    found = cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path)
    assert "cannot write a run here" in found.candidate("pixels").reason
    assert found.candidate("colours").ok
    assert found.pairs == []

    class Spoiling(Notes):
        def note(self, text: str) -> None:
            if text.startswith("candidate 1"):
                (tmp_path / "comparison.md").unlink(missing_ok=True)
                (tmp_path / "comparison.md").mkdir()

    with pytest.raises(RunError, match="cannot write the results") as caught:
        cvpipe.compare(specs(KNN, HISTOGRAM, data=photos), out=tmp_path, progress=Spoiling())
    assert caught.value.exit_code == 4
    assert not (tmp_path / "comparison.json").exists()


def test_predictions_without_scores_are_compared_all_the_same(again: Path) -> None:
    """Tests need right and wrong, not scores."""
    path = again / "runs" / "pixels" / "predictions.csv"
    rows = [line.rpartition(",")[0] + "," for line in path.read_text().splitlines()[1:]]
    path.write_text("\n".join(["id,split,truth,prediction,score", *rows]) + "\n")
    result = json.loads((path.parent / "result.json").read_text())
    del result["sha256"]
    (path.parent / "result.json").write_text(json.dumps(result))
    answers = load_comparison(again).candidate("pixels").answers
    assert answers is not None
    assert np.isnan(answers.score).all()
    assert answers.hits.any()


# the command line


@pytest.fixture
def written(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Spec files for the command line, in the working folder."""
    monkeypatch.chdir(tmp_path)

    def write(*plain: dict[str, Any]) -> list[str]:
        for one in specs(*plain, data=photos):
            Path(f"{one['name']}.yaml").write_text(json.dumps(one))
        return [f"{one['name']}.yaml" for one in plain]

    return write


def test_on_the_command_line(written: Callable[..., list[str]]) -> None:
    files = written(KNN, HISTOGRAM)
    done = cli("compare", *files, "--out", "there", "--train-sizes", "2,4", "--quiet")
    assert done.exit_code == 0, done.output
    assert "accuracy in % on " in done.stdout
    assert "   1  colours " in done.stdout
    assert "`colours` " in done.stdout
    assert "written to there" in done.stdout
    shown = cli("show", "there")
    assert shown.stdout == done.stdout
    assert json.loads(cli("show", "there", "--json").stdout)["ranking"] == ["colours", "pixels"]
    run = cli("show", "there/runs/pixels")
    assert run.stdout.startswith("pixels on ")
    assert "written to there/runs/pixels" in run.stdout
    as_json = cli("compare", *files, "--out", "there", "--train-sizes", "2,4", "--json")
    assert json.loads(as_json.stdout)["candidates"][0]["curve"][0]["train_size"] == 2


def test_a_suite_on_the_command_line_and_its_default_folder(
    written: Callable[..., list[str]], photos: Path
) -> None:
    written(KNN)
    matrix = "{spec: pixels.yaml, matrix: {knn.k: [1, 3]}}"
    Path("mine.yaml").write_text(f"specs: [{matrix}]\nsplit: {{holdout: 0.5}}\n")
    done = cli("compare", "mine.yaml", "--quiet")
    assert done.exit_code == 0, done.output
    assert Path("comparisons/mine/runs/pixels-k_3/result.json").exists()
    assert (
        cli("compare", "mine.yaml", "pixels.yaml").stderr
        == "mine.yaml: is a suite, and a suite is compared alone\n"
    )


def test_smoke(written: Callable[..., list[str]]) -> None:
    done = cli("compare", *written(KNN, HISTOGRAM), "--smoke", "--quiet", "--train-sizes", "500")
    assert done.exit_code == 0, done.output
    assert "smoke test" in done.stdout


def test_a_suite_of_ones_own_is_not_replaced(written: Callable[..., list[str]]) -> None:
    files = written(KNN, HISTOGRAM)
    mine = f"# mine\nspecs: [{files[0]}, {files[1]}]\n"
    Path("suite.yaml").write_text(mine)
    done = cli("compare", "suite.yaml", "--quiet", "--out", ".")
    assert (done.exit_code, done.stderr) == (
        2,
        ".: has a suite.yaml that no comparison wrote; choose another --out\n",
    )
    assert Path("suite.yaml").read_text() == mine


def test_smoke_tests_replace_no_runs_on_all_images(written: Callable[..., list[str]]) -> None:
    files = written(KNN, HISTOGRAM)
    for arguments in (["--smoke"], []):
        assert cli("compare", *files, "--quiet", "--out", "out", *arguments).exit_code == 0
    before = Path("out/comparison.json").read_bytes()
    done = cli("compare", *files, "--quiet", "--out", "out", "--smoke")
    said = "out: holds runs on all images, and smoke tests would replace them; choose another --out\n"
    assert (done.exit_code, done.stderr) == (2, said)
    assert Path("out/comparison.json").read_bytes() == before


def test_plans(written: Callable[..., list[str]]) -> None:
    files = written(KNN, {**KNN, "name": "other", "stages": [KNN["stages"][0], {"knn": {"k": 3}}]})
    for command in (["plan", *files], ["compare", *files, "--plan"]):
        done = cli(*command)
        assert done.exit_code == 0, done.output
        assert "raw_pixels (pixels)" in done.stdout
        assert "sharing saves" in done.stdout
    planned = json.loads(cli("plan", *files, "--json").stdout)
    assert planned["candidates"][1]["shared"] == ["pixels", ""]
    assert planned["total_s"] == pytest.approx(planned["apart_s"] - planned["saved_s"])
    assert not Path("comparisons").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to compare: name two specs or more, or a suite"),
        (["pixels.yaml"], "'pixels' alone cannot be compared"),
        (["pixels.yaml", "pixels.yaml"], "2 candidates are called 'pixels'"),
        (["pixels.yaml", "nowhere"], "nowhere: no such file, and no shipped spec of that name"),
        (
            ["pixels.yaml", "colours.yaml", "--metric", "f1"],
            "--metric f1: pipelines are compared by one of accuracy",
        ),
        (["pixels.yaml", "colours.yaml", "--train-sizes", "5,x"], "whole numbers of at least 1 with commas"),
        (["pixels.yaml", "colours.yaml", "--train-sizes", "0"], "whole numbers of at least 1 with commas"),
        (["pixels.yaml", "colours.yaml", "--repeats", "0"], "0 is not in the range x>=1"),
        (["pixels.yaml", "lbp_svm"], "'lbp_svm' cannot be compared with 'pixels': data"),
        (["suite.yaml"], "suite.yaml:1:1: unknown key 'spces' of a suite (did you mean 'specs'?)"),
    ],
)
def test_mistakes_end_with_2(written: Callable[..., list[str]], arguments: list[str], said: str) -> None:
    written(KNN, HISTOGRAM)
    Path("suite.yaml").write_text("spces: [lbp_svm]\n")
    done = cli("compare", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not Path("comparisons").exists()


def test_folders_that_cannot_be_shown_end_with_3(again: Path) -> None:
    def refused(folder: Path, said: str) -> None:
        done = cli("show", folder)
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr.startswith(f"{folder}")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1

    refused(again / "nowhere", "no such folder")
    refused(again / "runs", "no run here: result.json is missing (the newest one in it is '")
    refused(again / "runs" / "broken", "did not finish")
    whole = (again / "comparison.json").read_text()
    (again / "comparison.json").write_text(whole[:-200])
    refused(again, "cannot be read; it is damaged")
    (again / "comparison.json").write_text(whole.replace('"ci95_splits"', '"ci95_folds"'))
    refused(again, "is damaged or of another version of cvpipe")
    (again / "comparison.json").unlink()
    refused(again, "is no finished comparison: it has no comparison.json")


def test_a_spec_object_cannot_be_changed(photos: Path) -> None:
    with pytest.raises(SpecError, match="is complete"):
        cvpipe.compare([cvpipe.load_spec(specs(KNN, data=photos)[0])] * 2, seed=4)


def test_a_plan_says_that_learning_curves_are_not_included(written: Callable[..., list[str]]) -> None:
    files = written(KNN, HISTOGRAM)
    line = "not included: learning curves, for which all is fitted again on 2, 4 and 10 images of each class"
    Path("mine.yaml").write_text(f"specs: [{', '.join(files)}]\ntrain_sizes: [4, 2, 10]\n")
    for command in (["compare", *files, "--plan", "--train-sizes", "2,10,4"], ["plan", "mine.yaml"]):
        done = cli(*command)
        assert done.exit_code == 0, done.output
        assert line in done.stdout.splitlines()
    assert json.loads(cli("plan", "mine.yaml", "--json").stdout)["train_sizes_not_included"] == [4, 2, 10]
    assert "learning curves" not in cli("plan", *files).stdout
