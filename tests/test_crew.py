"""Threads that stay for many rounds of work."""

from __future__ import annotations

import threading

import pytest

from cvpipe.threads import Crew


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_piece_is_done_once_before_the_round_ends(count: int) -> None:
    done: list[tuple[int, int]] = []
    with Crew(count) as crew:
        for number in range(50):
            crew.each(lambda i, n=number: done.append((n, i)), 7)
            assert len(done) == 7 * (number + 1)
    assert sorted(done) == [(n, i) for n in range(50) for i in range(7)]


def test_pieces_are_done_at_the_same_time() -> None:
    together = threading.Barrier(3, timeout=10)
    with Crew(3) as crew:
        crew.each(lambda i: together.wait() and None, 3)


def test_what_a_helper_raises_is_told_and_the_crew_goes_on() -> None:
    here, met = threading.get_ident(), threading.Barrier(2, timeout=10)

    def work(piece: int) -> None:
        met.wait()
        if threading.get_ident() != here:
            raise ValueError(f"piece {piece}")

    with Crew(2) as crew:
        with pytest.raises(ValueError, match="piece"):
            crew.each(work, 2)
        crew.each(lambda i: met.wait() and None, 2)


def test_helpers_are_prepared_and_end() -> None:
    prepared: list[int] = []
    with Crew(3, lambda: prepared.append(threading.get_ident())) as crew:
        crew.each(lambda i: None, 3)
    assert len(set(prepared)) == 2
    assert not {thread.ident for thread in threading.enumerate()} & set(prepared)
