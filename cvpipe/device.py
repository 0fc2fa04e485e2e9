"""Where tensors live: the device of the run, for the stages that compute with torch.

It is the same for all threads of a process, since the workers of a run are threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Device = Literal["auto", "cpu", "cuda"]

DRIVER_FILES = ("/dev/nvidiactl", "/dev/dxg")
"""One of them exists where a CUDA driver is at work on Linux, the second under WSL."""

_chosen: Device = "auto"


@contextlib.contextmanager
def use(device: Device) -> Iterator[None]:
    """Inside, `current` is this device; `auto` is a GPU where there is one."""
    global _chosen
    before, _chosen = _chosen, device
    try:
        yield
    finally:
        _chosen = before


def current() -> Literal["cpu", "cuda"]:
    """The device to compute on. Imports torch only on a machine that has a driver for a GPU."""
    if _chosen != "auto":
        return _chosen
    if not any(map(Path.exists, map(Path, DRIVER_FILES))):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
