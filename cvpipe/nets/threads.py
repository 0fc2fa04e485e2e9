"""How many threads torch may use: one in each of the conductor's workers."""

from __future__ import annotations

import torch


def one_thread() -> None:
    """From here on, torch computes in this thread without others.

    A worker has to say so itself: torch gives every new thread its own count, whatever limit is set around it. Two
    threads in each of two workers cost up to 10 times on a busy machine.
    """
    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
