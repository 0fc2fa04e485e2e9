"""Progress where there is no terminal: few lines, and none about what takes no time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import pytest
from cvpipe_cli import lines


class Clock:
    """Time that passes when it is told to, for `Lines`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.timers: list[Clock.Timer] = []
        monkeypatch.setattr(lines.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(lines.threading, "Timer", partial(Clock.Timer, self))

    class Timer:
        def __init__(
            self, clock: Clock, wait: float, call: Callable[..., None], arguments: list[str]
        ) -> None:
            self.clock, self.at, self.call = clock, clock.now + wait, partial(call, *arguments)

        def start(self) -> None:
            self.clock.timers.append(self)

        def cancel(self) -> None:
            self.clock.timers = [timer for timer in self.clock.timers if timer is not self]

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        for timer in [timer for timer in self.timers if timer.at <= end]:
            self.timers.remove(timer)
            self.now = timer.at
            timer.call()
        self.now = end


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_stage_that_takes_long(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    plain = lines.Lines()
    plain.begin("sift", 100)
    for _ in range(3):
        plain.advance("sift", 20)
        clock.wait(5)
    assert capsys.readouterr().err == "sift: 60 of 100 images, 6 images/s, 7 s left\n"
    plain.advance("sift", 40)
    plain.end("sift")
    plain.end("sift")
    plain.note("news")
    assert capsys.readouterr().err == "sift: done, 100 images\nnews\n"


def test_what_takes_no_time_is_not_told(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    plain = lines.Lines()
    plain.note("candidate 1 of 1: lbp_svm")
    for split in range(5):
        plain.doing(f"split {split + 1} of 5")
        plain.begin("svm", 20)
        clock.wait(0.5)
        plain.doing("fitting svm on 80 images")
        clock.wait(1)
        plain.advance("svm", 20)
    plain.end("svm")
    plain.doing("writing")
    plain.__exit__()
    clock.wait(1000)
    assert capsys.readouterr().err == "candidate 1 of 1: lbp_svm\n"


def test_hours_are_some_lines_at_growing_intervals(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = lines.Lines()
    said: list[float] = []
    monkeypatch.setattr(lines.click, "echo", lambda text, err: said.append(clock.now))
    plain.doing("fitting a long one")
    clock.wait(100)
    assert said == [10]  # while it is at work, though it says no word
    for epoch in range(1500):
        plain.doing(f"epoch {epoch}")
        clock.wait(4)
    gaps = [later - earlier for earlier, later in pairwise(said)]
    assert gaps[:4] == [90, 40, 80, 160]
    assert max(gaps) <= lines.LONGEST_S + 4
    assert len(said) < 30
