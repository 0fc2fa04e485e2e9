"""Candidates run in processes of their own: what ends one of them ends no other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cvpipe.comparison import ahead, worker
from cvpipe.comparison.execute import Failure, Runner
from cvpipe.comparison.teller import Teller
from cvpipe.conductor.progress import Progress
from cvpipe.errors import DataError, SpecError

WORK = "test_execute:work"


def work(task: Mapping[str, Any], teller: Teller) -> None:
    """What a worker is asked to do in these tests."""
    if task.get("prepared"):
        teller.note("which is told when it begins")
        Path(task["prepared"]).write_text("ready")
    teller.ready()
    if "early" in task:
        TASKS[task["early"]](task)
    if "hears" in task:
        assert teller.found == task["hears"]
    teller.begin("stage", 3)
    teller.advance("stage", 2)
    teller.end("stage")
    teller.note(f"process {os.getpid()}")
    print("a library that prints")
    if task.get("free"):
        teller.free()
        teller.note("which nobody hears any more")
    TASKS[task["do"]](task)


TASKS: dict[str, Callable[[Mapping[str, Any]], None]] = {
    "nothing": lambda task: None,
    "spec": lambda task: fail(SpecError(["no stage", "no data"], where="x.yaml:1:1")),
    "data": lambda task: fail(DataError("no images")),
    "bug": lambda task: fail(ValueError("of a\nkind")),
    "memory": lambda task: fail(MemoryError()),
    "disk": lambda task: fail(OSError(28, "No space left on device", "/x")),
    "exit": lambda task: os._exit(9),
    "kill": lambda task: os.kill(os.getpid(), signal.SIGKILL),
    "crash": lambda task: os.kill(os.getpid(), signal.SIGSEGV),
    "a while": lambda task: time.sleep(0.5),
    "a second": lambda task: (time.sleep(1), fail(DataError("no images")))[1],
    "sleep": lambda task: sleep(task["mark"]),
    "until": lambda task: until(task["mark"]),
    "reads": lambda task: subprocess.run(["cat"], check=True),
}


def fail(error: BaseException) -> None:
    raise error


def sleep(mark: str) -> None:
    Path(mark).write_text(str(os.getpid()))
    time.sleep(60)


def test_a_task_that_reads_does_not_take_orders() -> None:
    """`cat` would wait for more of them for ever."""
    with Runner(WORK) as runner:
        number = runner.run({"do": "reads"}, Progress())
        runner.finish(Progress())
        assert runner.failed(number) is None


class Heard(Progress):
    def __init__(self) -> None:
        self.words: list[tuple[Any, ...]] = []

    def begin(self, stage: str, total: int) -> None:
        self.words.append(("begin", stage, total))

    def advance(self, stage: str, images: int) -> None:
        self.words.append(("advance", stage, images))

    def end(self, stage: str) -> None:
        self.words.append(("end", stage))

    def note(self, text: str) -> None:
        self.words.append(("note", text))


@pytest.fixture(autouse=True)
def found_by_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def test_progress_comes_back_and_each_task_has_a_process() -> None:
    with Runner(WORK) as runner:
        heard = Heard(), Heard()
        assert [runner.run({"do": "nothing"}, one) for one in heard] == [0, 1]
        assert runner.outcomes == {0: None, 1: None}
    assert heard[0].words[:3] == [("begin", "stage", 3), ("advance", "stage", 2), ("end", "stage")]
    assert heard[0].words[3] != heard[1].words[3]


@pytest.mark.parametrize(
    ("task", "failure"),
    [
        ("spec", Failure("x.yaml:1:1: no stage; x.yaml:1:1: no data", 2)),
        ("data", Failure("no images", 3)),
        ("bug", Failure("internal error: ValueError: of a kind", 4)),
        ("memory", Failure("out of memory", 4)),
        ("disk", Failure("/x: No space left on device", 4)),
        ("exit", Failure("its process ended with exit code 9", 4)),
        ("kill", Failure("its process was ended by SIGKILL; most likely the system was out of memory", 4)),
        ("crash", Failure("its process was ended by SIGSEGV", 4)),
    ],
)
@pytest.mark.skipif(not worker.FORKS, reason="without fork the worker itself ends")
def test_what_ends_a_task_is_told_and_ends_no_other(task: str, failure: Failure) -> None:
    with Runner(WORK, ["no_such_library"]) as runner:
        assert runner.failed(runner.run({"do": task}, Progress())) == failure
        assert runner.failed(runner.run({"do": "nothing"}, Progress())) is None


def test_a_server_that_was_begun_before_is_taken_once_and_else_ended() -> None:
    with ahead.begun(WORK, []), Runner(WORK) as runner, Runner(WORK) as other:
        waiting = ahead._waiting[WORK]
        heard = Heard(), Heard()
        assert runner.failed(runner.run({"do": "nothing"}, heard[0])) is None
        assert other.failed(other.run({"do": "nothing"}, heard[1])) is None
        assert runner._server is waiting
        assert other._server is not waiting
    with ahead.begun(WORK, ["no_such_library"]):
        unused = ahead._waiting[WORK]
    assert gone(unused.pid)
    with ahead.begun(WORK, []), Runner(WORK) as runner:
        ahead._waiting[WORK].kill()
        ahead._waiting[WORK].wait()
        assert runner.failed(runner.run({"do": "nothing"}, Heard())) is None


@pytest.mark.parametrize("task", ["nothing", "exit", "data"])
def test_a_worker_for_each_task_where_it_cannot_fork(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FORKS", False)
    heard = Heard()
    with Runner(WORK) as runner:
        for _ in range(2):
            assert (runner.failed(runner.run({"do": task}, heard)) is None) == (task == "nothing")
    assert heard.words[3] != heard.words[7]


def test_a_worker_that_does_not_fork_does_the_task_itself() -> None:
    read, write = os.pipe()
    worker.Server("test_execute:work", write).do({"do": "data"}, 7)
    os.close(write)
    with open(read) as told:
        assert [json.loads(line) for line in told][3:] == [
            [7, "doing", f"process {os.getpid()}"],
            [7, "failed", "no images", 3],
            [7, "ended", 0],
        ]


@pytest.mark.skipif(not worker.FORKS, reason="without fork there is one at a time")
def test_the_next_task_begins_beside_one_that_only_has_to_finish() -> None:
    heard = Heard()
    with Runner(WORK) as runner:
        slow = runner.run({"do": "a second", "free": True}, heard)
        assert slow in runner._at_work
        assert runner.failed(slow) is None
        runner.run({"do": "crash", "free": True}, heard)
        assert runner._at_work <= {slow}
        runner.finish(heard)
        assert runner.outcomes == {
            0: Failure("no images", 3),
            1: Failure("its process was ended by SIGSEGV", 4),
        }


def until(mark: str) -> None:
    """Wait for a file."""
    end = time.monotonic() + 30
    while not Path(mark).exists():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.skipif(not worker.FORKS, reason="without fork there is one at a time")
@pytest.mark.parametrize("do", ["nothing", "data", "kill"])
def test_the_next_task_gets_ready_meanwhile_and_waits(tmp_path: Path, do: str) -> None:
    first = {"do": "until", "mark": str(tmp_path / "prepared")}
    second = {"do": do, "prepared": first["mark"], "hears": {"key": 0.5}}
    heard = Heard()
    with Runner(WORK) as runner:
        assert runner.failed(runner.run(first, Progress(), after=second)) is None
        assert runner.run(second, heard, {"key": 0.5}) == 1
        runner.finish(heard)
        assert (runner.failed(1) is None) == (do == "nothing")
    assert heard.words[:2] == [("note", "which is told when it begins"), ("begin", "stage", 3)]


@pytest.mark.skipif(not worker.FORKS, reason="without fork there is one at a time")
@pytest.mark.parametrize("first", ["nothing", "a while"])
@pytest.mark.parametrize("early", ["data", "kill"])
def test_a_task_that_ends_while_it_gets_ready_is_told_in_its_turn(early: str, first: str) -> None:
    """Whether the one before is still at work then, or not."""
    second = {"do": "nothing", "early": early}
    reasons = {"data": "no images", "kill": "its process was ended by SIGKILL"}
    with Runner(WORK) as runner:
        assert runner.failed(runner.run({"do": first}, Progress(), after=second)) is None
        failure = runner.failed(runner.run(second, Progress(), after={"do": "nothing"}))
        assert failure is not None
        assert failure.reason.startswith(reasons[early])
        assert runner.failed(runner.run({"do": "nothing"}, Progress())) is None
        runner.finish(Progress())


@pytest.mark.skipif(not worker.FORKS, reason="without fork there is one process only")
def test_a_dead_server_leaves_nobody_waiting() -> None:
    """What its children still tell counts; what gets ready is ordered again."""
    second = {"do": "nothing"}
    with Runner(WORK) as runner:
        runner.run({"do": "a while", "free": True}, Progress(), after=second)
        assert runner._server is not None
        runner._server.kill()
        runner._server.wait()
        runner.run(second, Progress())
        runner.finish(Progress())
        assert runner.outcomes == {0: None, 1: None}


def test_where_it_cannot_fork_a_task_has_its_time_to_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FORKS", False)
    with Runner(WORK) as runner:
        for task in ({"do": "a while", "free": True}, {"do": "nothing", "hears": {"key": 0.5}}):
            assert runner.failed(runner.run(task, Progress(), {"key": 0.5}, after={"do": "nothing"})) is None


def test_what_others_found_is_heard_where_it_cannot_fork() -> None:
    read, write = os.pipe()
    worker.Server("test_execute:work", write).do({"do": "nothing", "hears": 3}, 0, 3)
    os.close(write)
    with open(read) as told:
        assert [0, "done"] in [json.loads(line) for line in told]


@pytest.mark.skipif(not worker.FORKS, reason="without fork there is one process only")
def test_a_task_that_was_ready_when_the_server_died_is_ordered_again(tmp_path: Path) -> None:
    second = {"do": "nothing", "prepared": str(tmp_path / "prepared")}
    with Runner(WORK) as runner:
        runner.run({"do": "until", "mark": second["prepared"]}, Progress(), after=second)
        assert runner._server is not None
        runner._server.kill()
        runner._server.wait()
        assert runner.failed(runner.run(second, Progress())) is None


@pytest.mark.skipif(not worker.FORKS, reason="without fork there is one process only")
def test_when_the_parent_is_killed_the_child_ends(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = (
        "from cvpipe.comparison.execute import Runner; from cvpipe.conductor.progress import Progress\n"
        f"Runner({WORK!r}).run({{'do': 'sleep', 'mark': {str(mark)!r}}}, Progress())"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    child = pid_in(mark)
    parent.kill()
    parent.wait()
    assert gone(child)


def test_an_interrupted_task_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    runner = Runner(WORK)
    here = os.getpid()
    thread = threading.Thread(target=lambda: (pid_in(mark), os.kill(here, signal.SIGINT)))
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        runner.run({"do": "sleep", "mark": str(mark)}, Progress())
    thread.join()
    assert gone(pid_in(mark))


def pid_in(mark: Path) -> int:
    until = time.monotonic() + 30
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return int(mark.read_text())


def gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
