"""How many threads torch may use: one in each of the conductor's workers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes in this thread without others: workers are threads already.

    A worker has to say so itself: torch gives every new thread its own count, whatever limit is set around it.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
