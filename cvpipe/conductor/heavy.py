"""What takes seconds before a stage works, so that no stage's clock runs meanwhile: imports, and kernels to compile."""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from cvpipe.conductor.sources import closure, code_of, imported_by
from cvpipe.device import current
from cvpipe.stage import Stage
from cvpipe.vision import machine_code

HEAVY = ("torch", "torchvision")
"""Libraries that only some devices or options need. By their names as modules and as packages."""
LATE = ("scipy.",)
"""Begin the modules that stages import inside functions."""
LEARNERS = ("scipy.", "sklearn.")
"""The same of learners that are fitted: scikit-learn may solve, but a stage predicts from its own arrays."""
KERNELS = "cvpipe.vision.compiled"
"""What a module with kernels is built from."""

_ready: set[type[Stage]] = set()
"""Stages whose libraries this process has imported, and whose kernels it has compiled or loaded."""
_one_at_a_time = threading.Lock()


def heavy_libraries(stage: type[Stage]) -> list[str]:
    """Which of them a stage will import on the device in use."""
    skipped = stage.gpu_only if current() == "cpu" else ()
    used = {line.partition(" ")[0] for line in code_of(stage.__module__)}
    return [name for name in HEAVY if name in used and name not in skipped]


def late_libraries(stage: type[Stage], begin: tuple[str, ...] = LEARNERS) -> list[str]:
    """What else it imports when it works, and not before: libraries that begin so, and modules with kernels. Some of it
    may be names of functions."""
    sources = closure(stage.__module__) or {}
    kernels = [name for name, source in sources.items() if KERNELS in imported_by({name: source})]
    return sorted({*kernels, *(name for name in imported_by(sources) if name.startswith(begin))})


def import_for(stage: type[Stage]) -> None:
    """Import now what the stage will when it is fitted; torchvision is for some of its options only."""
    _import([*(name for name in heavy_libraries(stage) if name == "torch"), *late_libraries(stage)])


def _import(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(
            Exception
        ):  # not installed, or broken: that is for the stage to complain about
            importlib.import_module(name)


def has_kernels(stage: type[Stage]) -> bool:
    """Whether a stage may run compiled kernels."""
    return KERNELS in (closure(stage.__module__) or ())


def make_ready(stage: type[Stage], work: Callable[[Any], Any], batch: Any) -> None:
    """Have a stage import its libraries, and compile its kernels by working on one image, once in a process. What goes
    wrong goes wrong again when it works on all."""
    if stage in _ready or not len(batch):
        return
    with _one_at_a_time:
        if stage in _ready:
            return
        _import(late_libraries(stage, LATE))
        if has_kernels(stage):
            with contextlib.suppress(Exception):
                work(batch[:1])
        _ready.add(stage)


def first_here(stages: list[type[Stage]]) -> bool:
    """Whether these are the first stages with kernels, in the state that all kernels are in, on this machine."""
    if (
        os.environ.get("NUMBA_CACHE_DIR")
        or machine_code.folder().exists()
        or not any(map(has_kernels, stages))
    ):
        return False
    with contextlib.suppress(OSError):
        machine_code.folder().mkdir(parents=True)
        return True
    return False  # it is there, or nothing can be kept there
