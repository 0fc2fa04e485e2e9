"""What is done in the background while candidates are at work."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from cvpipe.comparison.meanwhile import LOW, Meanwhile


def test_things_are_done_in_turn_once_it_has_begun() -> None:
    done: list[int] = []
    both = threading.Event()
    with Meanwhile() as meanwhile:
        meanwhile.do(lambda: done.append(1))
        meanwhile.do(lambda: 1 / 0)  # nobody hears of it
        assert not done
        meanwhile.begin()
        meanwhile.begin()
        meanwhile.do(lambda: (done.append(2), both.set()))
        assert both.wait(30)
    assert done == [1, 2]


def test_at_the_end_what_is_at_work_is_waited_for_and_the_rest_dropped() -> None:
    begun, done = threading.Event(), []
    ends = threading.Event()
    with Meanwhile() as meanwhile:
        meanwhile.do(lambda: (begun.set(), ends.wait(30), done.append(1)))
        meanwhile.do(lambda: done.append(2))
        meanwhile.begin()
        assert begun.wait(30)
        threading.Timer(0.1, ends.set).start()
    assert done == [1]


def test_what_has_patience_waits_for_a_candidate_that_takes_long() -> None:
    done: list[str] = []
    second = threading.Event()
    with Meanwhile() as meanwhile:
        meanwhile.do(lambda: done.append("long"), 0.4)
        meanwhile.do(second.set)
        for _ in range(4):
            meanwhile.begin()
            assert not second.wait(0.2)
        assert not done
        assert second.wait(30)
        assert done == ["long"]
        meanwhile.do(lambda: done.append("never"), 60)
    assert done == ["long"]


def test_what_never_began_is_dropped() -> None:
    with Meanwhile() as meanwhile:
        meanwhile.do(lambda: pytest.fail("nobody began it"))


@pytest.mark.skipif(sys.platform != "linux", reason="priority is that of the whole process")
def test_it_takes_no_time_from_others() -> None:
    found: list[int] = []
    told = threading.Event()
    with Meanwhile() as meanwhile:
        meanwhile.do(lambda: found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
        meanwhile.do(told.set)
        meanwhile.begin()
        assert told.wait(30)
    assert found == [LOW]
    assert os.getpriority(os.PRIO_PROCESS, 0) < LOW
