"""The command line: what it prints where, what it says about mistakes, and how it ends."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from cvpipe_cli import progress
from cvpipe_cli.main import COMMANDS, main
from cvpipe_cli.run import print_summary

from cvpipe.spec.find import shipped_specs

HEAVY = (
    "torch",
    "sklearn",
    "cv2",
    "matplotlib",
    "numpy",
    "scipy",
    "pydantic",
    "rich",
    "ruamel",
    "skimage",
    "numba",
)
SMALL = """\
data: {folder: photos}
split: {kfold: 2}
stages: [sift, root_sift, {bag_of_words: {words: 5}}, svm]
"""
NO_STAGE = "stages: [swm]\ndata: textures\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CVPIPE_TRACEBACK", raising=False)
    return tmp_path


def cvpipe(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, arguments, **options)


@pytest.fixture
def photos(place: Path) -> Path:
    """Two classes of eight pictures with corners, and a spec `small.yaml` for them."""
    rng = np.random.default_rng(0)
    for label, cell in (("fine", 4), ("coarse", 12)):
        (place / "photos" / label).mkdir(parents=True)
        for i in range(8):
            grain = rng.integers(0, 256, (96 // cell, 96 // cell), dtype=np.uint8)
            cv2.imwrite(
                str(place / "photos" / label / f"{i}.png"), np.kron(grain, np.ones((cell, cell), np.uint8))
            )
    (place / "small.yaml").write_text(SMALL)
    return place / "photos"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from cvpipe_cli.main import main\n"
        "try: main(['--help'])\n"
        f"finally: print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("arguments", [["check", "sift_bow_svm"], ["stages"], ["stages", "svm"]])
def test_checking_and_listing_import_no_learning_library(arguments: list[str]) -> None:
    code = (
        f"import sys; from cvpipe_cli.main import main\ntry: main({arguments!r})\n"
        "finally: print('HEAVY', [m for m in ('torch', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "HEAVY []" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = cvpipe(name, "--help")
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: main {name}")
    summaries = cvpipe("--help").stdout.partition("Commands:")[2]
    assert name in summaries
    assert "..." not in summaries  # none is cut off


def test_usage_errors_end_with_2() -> None:
    assert cvpipe("chek").exit_code == 2
    assert "no such command 'chek' (did you mean 'check'?)" in cvpipe("chek").stderr
    assert cvpipe("run").exit_code == 2
    assert cvpipe("run", "x", "--jobs", "0").exit_code == 2
    assert cvpipe("run", "x", "--device", "gpu").exit_code == 2
    assert "--json and --csv exclude each other" in cvpipe("predict", "m", "x", "--json", "--csv").stderr


@pytest.mark.parametrize("arguments", [
    ("run", "hog_svm", "--data", ""), ("run", "hog_svm", "--out", ""), ("compare", "hog_svm", "lbp_svm", "--out", ""),
    ("compare", "hog_svm", "lbp_svm", "--train-sizes", ""), ("plan", "hog_svm", "--data", ""), ("show", ""),
    ("check", "hog_svm", "--data", ""), ("predict", "", "a.png"), ("predict", "imagenet", ""), ("init", ""),
    ("init", "a.yaml", "--data", ""), ("datasets", "check", ""), ("datasets", "check", "faces", "--split", ""),
    ("verify", ""), ("verify", "a", "--out", ""), ("cite", ""), ("diff", "", "a"), ("diff", "a", ""), ("run", ""),
])  # fmt: skip
def test_an_empty_text_is_neither_a_default_nor_the_current_folder(
    place: Path, arguments: tuple[str, ...]
) -> None:
    assert cvpipe(*arguments).exit_code == 2
    assert not list(place.iterdir())


@pytest.mark.parametrize(
    "command", [("check", "hog_svm", "--data"), ("init", "a.yaml", "--data"), ("datasets", "check")]
)
def test_a_name_that_wins_over_a_folder_is_told(place: Path, command: tuple[str, ...]) -> None:
    said = "note: `faces` is a data set of cvpipe; the folder of that name is ./faces\n"
    assert said not in cvpipe(*command, "faces").stderr
    (place / "a.yaml").unlink(missing_ok=True)
    (place / "faces").mkdir()
    assert cvpipe(*command, "faces").stderr == said
    (place / "a.yaml").unlink(missing_ok=True)
    assert said not in cvpipe(*command, "./faces").stderr


def test_check_tells_all_problems_of_all_specs(place: Path) -> None:
    (place / "a.yaml").write_text(NO_STAGE)
    (place / "b.yaml").write_text("")
    done = cvpipe("check", "a.yaml", "sift_bow_svm", "b.yaml")
    assert done.exit_code == 2
    assert done.stdout == "ok sift_bow_svm: sift > root_sift > bag_of_words > svm\n"
    assert done.stderr.splitlines() == [
        "a.yaml:1:10: unknown stage 'swm' (did you mean 'svm'?); `cvpipe stages` lists all",
        "b.yaml:1:1: the spec is empty; `cvpipe init` writes one to start from",
    ]


@pytest.mark.parametrize("command", ["run", "plan", "check"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bad.yaml"], "bad.yaml:1:10: unknown stage 'swm' (did you mean 'svm'?); `cvpipe stages` lists all\n"),
        (["bda.yaml"], "bda.yaml: no such file, and no shipped spec of that name (did you mean 'bad.yaml'?); "
             "`cvpipe init --list` lists all\n"),
        (["sift_bow_svm", "--set", "svm.c=1"],
         "--set svm.c=1: unknown option 'c' of stage 'svm' (did you mean 'C'?)\n"),
        (["sift_bow_svm", "--seed=-1"], "--seed -1: seed must be a whole number of at least 0, got -1\n"),
        (["sift_bow_svm", "--data", "nowhere"], "--data nowhere: no data set, folder or file 'nowhere'; it must be a "
         "data set (see `cvpipe datasets`), a folder of class folders or a .csv file\n"),
    ],
)  # fmt: skip
def test_a_wrong_spec_ends_with_2(place: Path, command: str, arguments: list[str], said: str) -> None:
    (place / "bad.yaml").write_text(NO_STAGE)
    done = cvpipe(command, *arguments)
    assert (done.exit_code, done.stdout, done.stderr) == (2, "", said)


def test_run_then_predict_gives_the_same_numbers(photos: Path, place: Path) -> None:
    done = cvpipe("run", "small.yaml", "--out", "out", "--jobs", "1")
    assert done.exit_code == 0, done.stderr
    assert "accuracy" in done.stdout
    assert "bag_of_words" in done.stdout
    first, *more = done.stderr.splitlines()
    assert first == "small on photos: 16 images, 2 classes"
    assert all("kernels are compiled" in line for line in more)  # where none are; no stage takes long
    assert (place / "out" / "result.json").is_file()

    test_rows = [line.split(",") for line in (place / "out" / "predictions.csv").read_text().splitlines()[1:]]
    first_split = {row[0]: (row[3], float(row[4])) for row in test_rows if row[1] == "0"}
    paths = [str(photos / name) for name in first_split]
    told = json.loads(cvpipe("predict", "out", "--json", *paths).stdout)
    assert [(row["prediction"], pytest.approx(row["score"], abs=1e-4)) for row in told] == list(
        first_split.values()
    )

    table = cvpipe("predict", "out/model", "--csv", "-", input="\n".join(paths)).stdout.splitlines()
    assert table[0] == "id,prediction,score"
    assert [line.split(",")[0] for line in table[1:]] == paths
    everything = cvpipe("predict", "out", "photos")
    assert everything.exit_code == 0
    assert everything.stdout.count(".png") == 16


def test_predict_names_bad_images_and_predicts_the_others(photos: Path, place: Path) -> None:
    assert cvpipe("run", "small.yaml", "--out", "out", "--quiet").exit_code == 0
    (place / "text.jpg").write_text("not a picture")
    done = cvpipe("predict", "out", "missing.png", str(photos / "fine" / "0.png"), "text.jpg", "--json")
    assert done.exit_code == 3
    assert [row["id"] for row in json.loads(done.stdout)] == [str(photos / "fine" / "0.png")]
    said = done.stderr.splitlines()
    assert [line.partition(": ")[0] for line in said] == ["missing.png", "text.jpg"]
    assert [
        line.split(": ")[0]
        for line in cvpipe("predict", "out", "./text.jpg", "http://x.org/a.jpg").stderr.splitlines()
    ] == ["./text.jpg", "http://x.org/a.jpg"]
    (place / "-dash.png").write_bytes((photos / "fine" / "0.png").read_bytes())
    dash = cvpipe("predict", "out", "-dash.png")
    assert dash.exit_code == 2
    assert "'-d'; for the image of that name write ./-dash.png, or put -- before it" in dash.stderr
    for words in (["--csv", "--", "-dash.png"], ["--csv", "./-dash.png"]):
        assert cvpipe("predict", "out", *words).stdout.splitlines()[1].startswith(f"{words[-1]},")
    assert "; for the image" not in cvpipe("predict", "out", "--cvs", "-dash.png").stderr
    only_bad = cvpipe("predict", "out", "text.jpg", "--json")
    assert (only_bad.exit_code, json.loads(only_bad.stdout)) == (3, [])
    (place / "empty").mkdir()
    assert cvpipe("predict", "out", "empty").stderr == "empty: no images in this folder\n"
    assert cvpipe("predict", "empty", "text.jpg").exit_code == 3


def test_images_of_formats_that_are_not_read_are_not_lost_without_a_word(photos: Path, place: Path) -> None:
    for name in ("fine/a.heic", "coarse/b.HEIC", "coarse/c.svg"):
        (photos / name).touch()
    (photos / "fine" / "notes.txt").touch()
    said = "3 images of formats that are not read (.heic, .svg): convert them; PNG, JPEG, TIFF, BMP, PPM, WebP and GIF"
    done = cvpipe("run", "small.yaml", "--out", "out", "--quiet")
    assert f"warning: {said} are read\n" in done.stderr
    assert "note: 1 file(s) that are no images were left out\n" in done.stdout
    log = Path("out/log.txt").read_text()
    assert said in log
    assert "1 file(s) that are no images" in log
    for command in (("plan", "small.yaml"), ("datasets", "check", "photos")):
        assert f"warning: {said}" in cvpipe(*command).output
    predicted = cvpipe("predict", "out", "photos")
    assert (predicted.exit_code, predicted.stdout.count(".png")) == (0, 16)
    assert "photos/fine/a.heic: left out, the format is not read; convert it\n" in predicted.stderr
    for path in photos.rglob("*.png"):
        path.unlink()
    assert cvpipe("predict", "out", "photos").stderr.startswith(f"photos: {said}")
    assert cvpipe("run", "small.yaml").stderr.startswith(f"photos: {said}")


def test_json_is_alone_on_standard_output(photos: Path) -> None:
    done = cvpipe("run", "small.yaml", "--json", "--no-cache", "--set", "split={holdout: 0.5}")
    assert done.exit_code == 0
    assert done.stderr == ""
    assert json.loads(done.stdout)["split"] == {"holdout": 0.5}
    assert not Path("cache").exists()
    assert json.loads(cvpipe("plan", "small.yaml", "--json").stdout)["images"] == 16


def test_quiet_and_the_default_folder(photos: Path) -> None:
    done = cvpipe("run", "small.yaml", "--quiet")
    assert done.exit_code == 0
    assert "images/s" not in done.stderr
    assert "done" not in done.stderr
    assert Path("runs/small/1/result.json").is_file()


def test_lists_and_explanations() -> None:
    assert "bag_of_words" in cvpipe("stages").stdout
    told = cvpipe("stages", "bag_of_words").stdout
    assert "learner (features), Descriptors -> Features" in told
    assert "whole number >= 1" in told
    assert "Source:" in told
    assert "textures" in cvpipe("datasets").stdout
    assert "No options." in cvpipe("stages", "root_sift").stdout
    assert cvpipe("stages", "swm").stderr.startswith("unknown stage 'swm' (did you mean 'svm'?)")
    assert cvpipe("datasets", "texture").exit_code == 2
    assert json.loads(cvpipe("schema").stdout)["required"] == ["data", "stages"]


def test_init_writes_a_good_spec_and_overwrites_none(place: Path) -> None:
    assert cvpipe("init").exit_code == 0
    assert cvpipe("check", "spec.yaml").stdout.startswith("ok spec.yaml")
    again = cvpipe("init")
    assert (again.exit_code, again.stderr) == (2, "spec.yaml: exists already; --force overwrites it\n")
    (place / 'my "photos": #1').mkdir()
    assert cvpipe("init", "--force", "--data", 'my "photos": #1').exit_code == 0
    assert cvpipe("check", "spec.yaml").exit_code == 0
    assert "photos" in Path("spec.yaml").read_text()
    missing = cvpipe("init", "no/such/spec.yaml")
    assert (missing.exit_code, missing.stderr) == (2, "no/such/spec.yaml: there is no folder no/such\n")
    assert cvpipe("init", "other.yaml", "--data", "nowhere").exit_code == 2
    assert not Path("other.yaml").exists()


def test_init_names_what_is_shipped(place: Path) -> None:
    listed = cvpipe("init", "--list").stdout
    assert all(f"\n{name} " in listed for name in shipped_specs())
    assert "RootSIFT, PCA, improved Fisher vectors" in listed
    assert not Path("spec.yaml").exists()


def test_cache(photos: Path) -> None:
    assert json.loads(cvpipe("cache", "--json").stdout)["entries"] == 0
    assert cvpipe("run", "small.yaml", "--quiet", "--set", "split={holdout: 0.5}").exit_code == 0
    facts = json.loads(cvpipe("cache", "--json").stdout)
    assert facts["entries"] > 0
    assert facts["bytes"] > 0
    assert f"{facts['entries']} entries" in cvpipe("cache").stdout
    assert json.loads(cvpipe("cache", "clear", "--json").stdout)["entries"] == 0


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; what was computed is kept, the same command goes on from there"),
        (OSError(errno.ENOSPC, "x", "/out/a"), 4, "/out/a: the disk is full"),
        (OSError(errno.ENOSPC, "x"), 4, "the disk is full"),
        (PermissionError(errno.EACCES, "x", "/out/a"), 4, "/out/a: no permission"),
        (OSError(errno.EIO, "Input/output error", "/out/a"), 4, "/out/a: Input/output error"),
        (MemoryError(), 4, "out of memory: fewer --jobs need less"),
        (ValueError("a\nb"), 4,
         "internal error: ValueError: a b; please report it; CVPIPE_TRACEBACK=1 shows the trace"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_one_line(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def fails(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr("cvpipe.api.run", fails)
    done = cvpipe("run", "sift_bow_svm", "--quiet")
    assert (done.exit_code, done.stderr.strip(), done.stdout) == (code, said, "")
    monkeypatch.setenv("CVPIPE_TRACEBACK", "1")
    assert ("Traceback" in cvpipe("run", "sift_bow_svm", "--quiet").stderr) == (code != 130)


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "from cvpipe_cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def unread(*arguments: str) -> int:
    """The exit code of a command whose output and errors nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.MonkeyPatch.context() as patch, open(writer, "w") as out, open(os.dup(writer), "w") as err:
        patch.setattr("sys.stdout", out)
        patch.setattr("sys.stderr", err)
        return main.main(arguments, standalone_mode=False)


def test_exit_codes_are_answers_also_without_a_reader(photos: Path) -> None:
    small = ("run", "small.yaml", "--set", "stages=[raw_pixels, knn]", "--out")
    assert unread(*small, "a") == 0
    assert Path("a/result.json").exists()  # the run went on when nobody read its progress
    assert cvpipe(*small, "b", "--set", "seed=1").exit_code == 0
    assert unread("--help") == 0
    assert unread("show", "a") == 0
    assert unread("verify", "a", "--quiet") == 0
    assert unread("diff", "a", "b") == 1
    assert unread("diff", "a", "b", "--json") == 1
    assert unread("show", "nope") == 3
    assert unread("show") == 2


@pytest.mark.parametrize("closed", [("stdin", "stdout", "stderr"), ("stderr",), ("stdout",)])
def test_closed_streams_are_no_error(
    photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], closed: tuple[str, ...]
) -> None:
    """As of a service, or a shell with `>&-`."""
    for name in closed:
        monkeypatch.setattr(sys, name, None)
    small = ("run", "small.yaml", "--set", "stages=[raw_pixels, knn]", "--out", "a")
    assert main.main(small, standalone_mode=False) == 0
    assert Path("a/result.json").exists()
    assert main.main(("show", "nope"), standalone_mode=False) == 3
    for name in closed:
        assert os.get_inheritable(getattr(sys, name).fileno())
        getattr(sys, name).close()
    told = capsys.readouterr()
    assert ("written to a:" in told.out) == ("stdout" not in closed)
    assert ("no such folder" in told.err) == ("stderr" not in closed)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_standard_output() -> None:
    with open("/dev/full", "w") as full:
        code = "from cvpipe_cli.main import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr.startswith("the disk is full")
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_with_130(place: Path) -> None:
    code = "from cvpipe_cli.main import main; main()"
    running = subprocess.Popen([sys.executable, "-c", code, "run", "sift_bow_svm", "--no-cache"],
                               stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    assert running.stderr is not None
    assert running.stderr.readline()  # the first news: the run is on its way
    time.sleep(0.2)
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.splitlines()[-1] == "interrupted"
    assert "Traceback" not in said


def test_bars_are_drawn_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Bars() as bars:
        bars.begin("sift", 10)
        bars.advance("sift", 10)
        bars.advance("unknown", 1)
        bars.end("sift")
        bars.note("news [1]")
    told = capsys.readouterr()
    assert told.out == ""
    assert "news [1]" in told.err


@pytest.mark.parametrize(
    ("split", "said"),
    [({"kfold": 5, "repeats": 2}, "{kfold: 5, repeats: 2}"), ({"given": True}, "{given: true}"),
     ({"file": "my splits.csv"}, "{file: my splits.csv}"), ({"holdout": 0.2}, "{holdout: 0.2}")],
)  # fmt: skip
def test_a_run_names_its_split_as_a_spec_does(tmp_path: Path, split: dict[str, Any], said: str) -> None:
    summary = {
        "name": "a", "data": {"name": "faces", "images": 20, "classes": 2}, "split": split,
        "scores": {}, "stages": [], "warnings": [], "total_s": 1.0, "trained_on": "split 0",
    }  # fmt: skip
    with CliRunner().isolation() as (out, *_):
        print_summary(summary, tmp_path)
        told = out.getvalue().decode()
    assert told.splitlines()[0] == f"a on faces: 20 images, 2 classes, split {said}"


def test_a_split_that_the_data_bring_is_not_lost_without_a_word(photos: Path, place: Path) -> None:
    photos.rename(place / "train")
    photos.mkdir()
    (place / "train").rename(photos / "train")
    shutil.copytree(photos / "train", photos / "test")
    stages = "stages: [raw_pixels, {knn: {k: %d}}]\n"
    for k in (1, 3):
        (place / f"near_{k}.yaml").write_text("data: {folder: photos}\nsplit: {kfold: 2}\n" + stages % k)
    said = "warning: the data bring a split of their own, which is not used; `--set 'split={given: true}'` uses it\n"
    both = ("near_1.yaml", "near_3.yaml")
    for command in (("run", both[0]), ("plan", both[0]), ("plan", *both)):
        assert cvpipe(*command).stderr.count(said) == 1
        assert "data bring" not in cvpipe(*command, "--set", "split={given: true}").stderr
