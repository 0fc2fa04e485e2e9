"""What a long `fit` shares with whoever runs it: news of how it goes, and a place for what is half learned.

Outside a run nobody listens and nothing is kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

Saved = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays, and a note of plain values."""


@dataclass(frozen=True)
class Bench:
    """Where a stage is being fitted."""

    note: Callable[[str], None]
    load: Callable[[], Saved | None]
    save: Callable[[Mapping[str, np.ndarray], Mapping[str, Any]], None]
    warn: Callable[[str], None] = lambda text: None


_bench: ContextVar[Bench | None] = ContextVar("cvpipe_fitting", default=None)


@contextlib.contextmanager
def at(bench: Bench) -> Iterator[None]:
    """Inside, `note`, `load` and `save` go to this bench."""
    token = _bench.set(bench)
    try:
        yield
    finally:
        _bench.reset(token)


def note(text: str) -> None:
    """Tell how it goes, such as `epoch 3 of 10: loss 0.21, accuracy 93.1 %`."""
    if bench := _bench.get():
        bench.note(text)


def warn(text: str) -> None:
    """Tell what whoever reads the result should know, such as that a solver ended before it was done."""
    if bench := _bench.get():
        bench.warn(text)


def load() -> Saved | None:
    """What the same fit, on the same images with the same options, kept before it was broken off; None if nothing."""
    bench = _bench.get()
    return bench.load() if bench else None


def save(arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> None:
    """Keep what is half learned, whole or not at all; it replaces what was kept before and goes when the fit ends."""
    if bench := _bench.get():
        bench.save(arrays, note)
