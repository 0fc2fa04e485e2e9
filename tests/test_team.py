"""Compiled products of matrices, and threads that take part in compiled work."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from cvpipe.vision import meeting
from cvpipe.vision.blas import SGEMM, product
from cvpipe.vision.compiled import compiled
from cvpipe.vision.team import Team


@compiled()
def count_up(me: int, numbers: np.ndarray, name: int, state: np.ndarray) -> None:
    """Adds 1 to this thread's numbers; when all have, the leader adds their sum to the last one."""
    while meeting.begun(state, me, name):
        for place in range(me, len(numbers) - 1, state[meeting.COUNT]):
            numbers[place] += 1
        meeting.meet(state)
        if me == meeting.LEADER:
            numbers[-1] += numbers[:-1].sum()
            return


@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_parts_are_done_in_every_step(count: int) -> None:
    first, other = np.zeros(8, np.int64), np.zeros(8, np.int64)
    with Team(count, count_up) as team:
        for _ in range(300):
            team.step(first)
        for _ in range(10):  # to and fro
            team.step(other)
            team.step(first)
    assert first.tolist() == [310] * 7 + [7 * 310 * 311 // 2]
    assert other.tolist() == [10] * 7 + [7 * 55]


def test_those_who_fell_asleep_are_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.zeros(4, np.int64)
    with Team(3, count_up) as team:
        for done in range(1, 4):
            team.step(numbers)
            until = time.monotonic() + 30
            while not all(meeting.sleeps(team.state, me) for me in (1, 2)):
                assert time.monotonic() < until
            assert numbers[0] == done


def test_threads_end_whatever_happens() -> None:
    def ended_early() -> None:
        with Team(3, count_up) as team:
            team.step(np.zeros(4, np.int64))
            raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        ended_early()
    with Team(3, count_up):
        pass  # without a step
    assert threading.active_count() == before


def test_work_that_cannot_be_compiled_is_told_to_the_caller() -> None:
    with Team(2, count_up) as team, pytest.raises(Exception, match="array"):
        team.step("no array")  # type: ignore[arg-type]


def turned(matrix: np.ndarray, is_turned: bool) -> np.ndarray:
    return np.ascontiguousarray(matrix.T) if is_turned else matrix


@pytest.mark.parametrize("left_turned", [False, True])
@pytest.mark.parametrize("right_turned", [False, True])
@pytest.mark.parametrize(("m", "n", "k"), [(5, 7, 3), (1, 4, 6), (4, 1, 1)])
def test_products_are_those_of_numpy(left_turned: bool, right_turned: bool, m: int, n: int, k: int) -> None:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return rng.standard_normal(shape).astype(np.float32)

    left, right, memory = draw(m, k), draw(k, n), draw(m, n + 3)
    out, wanted = memory[:, 1 : n + 1], memory.copy()
    wanted[:, 1 : n + 1] = 0.5 * left @ right + 2 * out
    given = (turned(left, left_turned), left_turned, turned(right, right_turned), right_turned)
    product(SGEMM, *given, np.float32(0.5), np.float32(2), out)
    np.testing.assert_allclose(memory, wanted, atol=1e-5)
    assert memory[0, 0] == wanted[0, 0]
