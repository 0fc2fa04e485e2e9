"""Standard streams that were closed, or that nobody reads any more."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


def open_streams() -> None:
    """Standard streams that were closed, as by `2>&-`, lead nowhere: what prints needs not ask, and no file of ours
    gets their number, into which a process of ours would print."""
    for name in ("stdin", "stdout", "stderr"):  # in the order of their numbers: a new file gets the lowest
        if getattr(sys, name) is None:
            stream = open(os.devnull, "r" if name == "stdin" else "w")  # noqa: SIM115
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


class ReaderGone(Exception):
    """Whoever read our output has gone, as `head` does."""


@contextlib.contextmanager
def pipes_may_close() -> Iterator[None]:
    """Inside, a broken pipe is `ReaderGone`: of an `OSError` like that click makes the exit code 1, without a word."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error


def quiet(code: int) -> int:
    """End without a word, also when Python flushes its streams."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    return code
