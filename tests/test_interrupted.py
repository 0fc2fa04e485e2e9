"""Ctrl-C in every stage, and processes that are killed: nothing half-written is ever taken for whole."""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from accidents import INTERRUPTED, MAIN, SPEC, STOPPED, cvpipe, leftovers, make_photos, numbers, run

from cvpipe.conductor import conduct, save, store, workers
from cvpipe.conductor.entry import decode
from cvpipe.conductor.store import Store
from cvpipe.data import images
from cvpipe.datasets.folder import Folder
from cvpipe.report import folder, html
from cvpipe.splits.kinds import KFold
from cvpipe.stages.classifiers.svm import Svm
from cvpipe.stages.descriptors.root_sift import RootSift
from cvpipe.stages.descriptors.sift import Sift
from cvpipe.stages.features import bag_of_words
from cvpipe.stages.features.bag_of_words import BagOfWords

FILES = {"result.json", "spec.yaml", "predictions.csv", "report.html", "model", "log.txt"}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    """The numbers of a run that nobody disturbs."""
    place = tmp_path_factory.mktemp("undisturbed")
    make_photos(place / "photos")
    (place / "small.yaml").write_text(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert run("out", "--no-cache").exit_code == 0
        return numbers("out")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / "cache"))
    Path("small.yaml").write_text(SPEC)
    make_photos(Path("photos"))
    return tmp_path


def assert_nothing_is_damaged(out: Path, cache: Path) -> None:
    """Every entry of the cache is whole, and a folder with a `result.json` has everything."""
    for path, _, _ in Store(cache).entries():
        with path.open("rb") as file:
            assert decode(file) is not None, path
    if (out / "result.json").exists():
        json.loads((out / "result.json").read_text())
        assert {path.name for path in out.iterdir() if not path.name.startswith(".")} >= FILES
        assert cvpipe("predict", out, "photos/fine/00.png").exit_code == 0


# Ctrl-C

MOMENTS: dict[str, tuple[Any, str]] = {
    "listing": (Folder, "load"),
    "decoding": (images, "decode"),
    "splitting": (KFold, "folds"),
    "sift": (Sift, "_describe"),
    "root_sift": (RootSift, "transform"),
    "learning words": (BagOfWords, "fit"),
    "counting words": (bag_of_words, "nearest"),
    "training": (Svm, "fit"),
    "predicting": (Svm, "predict"),
    "writing the cache": (store, "encode"),
    "scoring": (conduct, "evaluate"),
    "predictions.csv": (folder, "predictions_csv"),
    "saving the model": (save, "tensors"),
    "the report": (html, "render"),
    "result.json": (folder.RunResult, "summary"),
}
"""What runs at the time -> the function that is interrupted."""


def interrupting(function: Callable[..., Any]) -> tuple[Callable[..., Any], threading.Event]:
    """The function, but the first call sends SIGINT to this process from whatever thread it is in, and goes on."""
    struck = threading.Event()

    @functools.wraps(function)  # the annotations of a stage are read
    def struck_by_ctrl_c(*arguments: Any, **options: Any) -> Any:
        if not struck.is_set():
            struck.set()
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.05)  # the main thread hears it, if this is another one
        return function(*arguments, **options)

    return struck_by_ctrl_c, struck


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("jobs", [pytest.param("1", marks=pytest.mark.slow), "2"])
def test_ctrl_c(place: Path, monkeypatch: pytest.MonkeyPatch, expected: Any, moment: str, jobs: str) -> None:
    owner, name = MOMENTS[moment]
    changed, struck = interrupting(getattr(owner, name))
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, changed)
        done = run("out", "--jobs", jobs)
    assert struck.is_set()
    assert done.exit_code == 130
    assert done.stdout == ""
    assert done.stderr.strip() == INTERRUPTED
    assert not Path("out/result.json").exists()
    assert leftovers(".") == []
    assert_nothing_is_damaged(Path("out"), Path("cache"))
    assert run("out", "--jobs", jobs).exit_code == 0
    assert numbers("out") == expected


def test_what_is_kept_is_told_only_where_something_is(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ctrl_c(*arguments: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    assert run("out").exit_code == 0
    for name in (
        "api",
        "comparing",
        "verifying",
    ):  # one that is imported later would keep the patched one of another
        importlib.import_module(f"cvpipe.{name}")
    for target in (
        "api.run",
        "api.plan",
        "api.check_data",
        "verifying.verify",
        "api.open_model",
        "comparing.compare",
    ):
        monkeypatch.setattr(f"cvpipe.{target}", ctrl_c)
    said = {command: cvpipe(*command.split()).stderr.strip() for command in (
        "run small.yaml", "compare small.yaml lbp_svm", "run small.yaml --no-cache", "plan small.yaml",
        "datasets check photos", "verify out", "predict out photos",
    )}  # fmt: skip
    assert list(said.values()) == [INTERRUPTED] * 2 + [STOPPED] * 5


SLOW_STAGE = """
import os, time
from cvpipe.stages.descriptors.sift import Sift
def describe(self, image, scratch):
    os.write(2, b"describing\\n")
    time.sleep(60)
Sift._describe = describe
from cvpipe_cli.main import main
main()
"""


def test_ctrl_c_does_not_wait_for_a_slow_stage(place: Path) -> None:
    command = [sys.executable, "-c", SLOW_STAGE, "run", "small.yaml", "--quiet", "--jobs", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "describing\n"
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=30)  # less than the minute that the stage would take
    assert running.returncode == 130
    assert out == ""
    assert [line for line in said.splitlines() if line not in ("", "describing")] == [INTERRUPTED]


TWICE = """
import sys, time
from cvpipe.conductor import workers
from cvpipe_cli.errors import explained, leave
def work(part):
    print("at work", flush=True)
    time.sleep(60)
def command():
    with workers.over(2, work, range(2)) as results:
        next(results)
code = explained(command)
assert workers.busy()
print("leaving", flush=True)
time.sleep(0.5)
leave(code)
"""


def test_ctrl_c_again_and_again_changes_nothing() -> None:
    """The second comes while the workers are waited for, the third when all is said."""
    with subprocess.Popen(
        [sys.executable, "-c", TWICE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == running.stdout.readline() == "at work\n"
        for _ in range(2):
            running.send_signal(signal.SIGINT)
            time.sleep(0.1)
        assert running.stdout.readline() == "leaving\n"
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
    assert (running.returncode, said.strip()) == (130, STOPPED)


@pytest.mark.slow
def test_ctrl_c_at_many_moments(place: Path, expected: Any) -> None:
    """Workers are inside OpenCV at some of them; Python must not end under their feet."""
    news = "small on photos"
    for delay in (0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8):
        command = [*MAIN, "run", "small.yaml", "--out", "out", "--no-cache"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            assert running.stderr is not None
            assert running.stderr.readline().startswith(news)
            time.sleep(delay)
            running.send_signal(signal.SIGINT)
            _, said = running.communicate(timeout=60)
        assert "Traceback" not in said
        assert (running.returncode, said.rstrip().endswith(STOPPED)) in ((130, True), (0, False))
        assert Path("out/result.json").exists() == (running.returncode == 0)
    assert run("out").exit_code == 0
    assert numbers("out") == expected


# Kill

KILLED_AT = """
import os, signal, sys
left = int(sys.argv.pop(1))
def watch(event, arguments):
    global left
    if event == "os.rename":
        left -= 1
        if left == 0:
            if os.path.isfile(arguments[0]):
                os.truncate(arguments[0], os.path.getsize(arguments[0]) // 2)
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
from cvpipe_cli.main import main
main()
"""
"""`cvpipe` that is killed in the middle of writing its n-th file."""


def killed_at(count: int, out: str) -> int:
    command = [sys.executable, "-c", KILLED_AT, str(count), "run", "small.yaml", "--quiet", "--out", out]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize("counts", [(2, 3), pytest.param((1, 5, 4, 3, 2, 6, 5, 3), marks=pytest.mark.slow)])
def test_killed_while_writing(place: Path, expected: Any, counts: tuple[int, ...]) -> None:
    for count in counts:
        assert killed_at(count, "out") == -signal.SIGKILL
        assert not Path("out/result.json").exists()
        assert leftovers(".")
        assert_nothing_is_damaged(Path("out"), Path("cache"))
    assert run("out").exit_code == 0
    assert numbers("out") == expected
    assert_nothing_is_damaged(Path("out"), Path("cache"))


@pytest.mark.slow
def test_killed_while_writing_over_a_finished_run(place: Path, expected: Any) -> None:
    """At each file of the run's folder, with everything else in the cache."""
    assert run("out").exit_code == 0
    count, code = 1, -signal.SIGKILL
    while code == -signal.SIGKILL:
        code = killed_at(count, "out")
        assert Path("out/result.json").exists() == (code == 0)
        count += 1
    assert count > 6
    assert code == 0
    assert numbers("out") == expected
    assert_nothing_is_damaged(Path("out"), Path("cache"))


@pytest.mark.slow
def test_killed_at_many_moments(place: Path, expected: Any) -> None:
    moments = random.Random(0)
    killed = 0
    for _ in range(15):
        command = [*MAIN, "run", "small.yaml", "--out", "out"]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr is not None
            running.stderr.readline()  # imports take most of the time
            time.sleep(moments.uniform(0, 0.9))
            running.kill()
            running.communicate()
        killed += running.returncode == -signal.SIGKILL
        assert_nothing_is_damaged(Path("out"), Path("cache"))
        if running.returncode == 0:
            assert numbers("out") == expected
    assert killed >= 5
    assert run("out").exit_code == 0
    assert numbers("out") == expected
    assert_nothing_is_damaged(Path("out"), Path("cache"))


@pytest.mark.filterwarnings("error")
def test_no_worker_is_left_at_work() -> None:
    """What is at work is waited for, what has not begun never begins."""
    began, ended = [], []

    def work(part: int) -> int:
        began.append(part)
        time.sleep(0.3 * part)
        ended.append(part)
        return part

    def break_off() -> None:
        with workers.over(2, work, range(50)) as results:
            assert next(results) == 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert sorted(began) == sorted(ended)
    assert not workers.busy()
    count = len(began)
    time.sleep(0.5)
    assert len(began) == count < 10


def test_ctrl_c_inside_a_callback_is_not_lost() -> None:
    """Python only prints an exception out of a weak reference's callback, and goes on."""
    code = """
import weakref
from cvpipe_cli.errors import explained, leave
class Thing: pass
def interrupt(reference): raise KeyboardInterrupt
def command():
    thing = Thing()
    kept = weakref.ref(thing, interrupt)
    del thing
    for _ in range(10_000_000): pass
    return 0
leave(explained(command))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (130, STOPPED)
