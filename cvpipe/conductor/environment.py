"""Where a run ran: what a reader needs to repeat it."""

from __future__ import annotations

import os
import platform
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_args

import cvpipe
from cvpipe.device import Device
from cvpipe.errors import SpecError, did_you_mean, listed

LIBRARIES = (
    "numpy", "scipy", "opencv-contrib-python-headless", "opencv-contrib-python", "scikit-image", "scikit-learn",
    "numba", "torch", "torchvision", "pillow", "joblib", "safetensors",
)  # fmt: skip


def environment(jobs: int, device: str) -> dict[str, Any]:
    """Versions, machine, workers, device."""
    return {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cvpipe": cvpipe.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "jobs": jobs,
        "device": device,
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
    }


def resolve_device(device: Device) -> Device:
    """`auto`, `cpu` or `cuda` as it will be used. Raises `SpecError` for another word, and if a GPU is asked for and
    there is none.

    `auto` stays `auto` here: only a stage that uses a device pays for finding out what there is.
    """
    known = get_args(Device)
    if device not in known:
        near = did_you_mean(str(device), known)
        raise SpecError(f"device must be one of {listed(known)}, got {device!r}{near}", where="--device")
    if device != "cuda":
        return device
    try:
        import torch
    except ImportError as error:
        raise SpecError("device cuda needs torch: pip install torch", where="--device") from error
    if not torch.cuda.is_available():
        raise SpecError(
            "device cuda was asked for, but torch finds no GPU; use cpu or auto", where="--device"
        )
    return device


@cache
def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


@cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
