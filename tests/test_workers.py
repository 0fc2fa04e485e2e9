"""Workers over parts: in order, whatever their number, and nothing is held longer than it is needed."""

from __future__ import annotations

import threading
import time
import weakref

import pytest

from cvpipe.conductor import workers


def slower_first(part: int) -> int:
    time.sleep(0.02 * (part % 3 == 0))
    if part == 7:
        raise ValueError(part)
    return part * part


@pytest.mark.parametrize("jobs", [1, 2, 5, 100])
def test_results_and_errors_come_in_the_order_of_the_parts(jobs: int) -> None:
    with workers.over(jobs, slower_first, range(20)) as results:
        assert [next(results) for _ in range(7)] == [0, 1, 4, 9, 16, 25, 36]
        with pytest.raises(ValueError, match="7"):
            next(results)
    with workers.over(jobs, slower_first, iter(range(7))) as results:
        assert list(results) == [0, 1, 4, 9, 16, 25, 36]
    with workers.over(jobs, slower_first, []) as results:
        assert list(results) == []
    assert not workers.busy()


def test_one_worker_is_the_callers_thread_and_several_work_at_once() -> None:
    here, barrier = threading.get_ident(), threading.Barrier(3, timeout=30)
    with workers.over(1, lambda part: threading.get_ident(), range(3)) as results:
        assert set(results) == {here}
    with workers.over(3, lambda part: (barrier.wait(), threading.get_ident())[1], range(3)) as results:
        assert len({here, *results}) == 4  # each waits for the others


class Large:
    """A result that takes memory."""


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_result_that_was_taken_is_not_held(jobs: int) -> None:
    with workers.over(jobs, lambda part: Large(), range(4)) as results:
        first = weakref.ref(next(results))
        next(results)
        assert first() is None


def test_a_worker_that_does_not_end_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GRACE_S", 0.01)
    go_on = threading.Event()
    with workers.over(2, lambda part: go_on.wait(30), range(2)):
        pass
    assert workers.busy()
    go_on.set()
    until = time.monotonic() + 10
    while workers.busy():
        assert time.monotonic() < until
        time.sleep(0.01)
