"""Libraries that take seconds to import: told before a stage needs them, so that no stage's clock runs meanwhile."""

from __future__ import annotations

import contextlib
import importlib

from cvpipe.conductor.sources import code_of
from cvpipe.device import current
from cvpipe.stage import Stage

HEAVY = ("torch", "torchvision")
"""By their names as modules and as packages."""


def heavy_libraries(stage: type[Stage]) -> list[str]:
    """Which of them a stage will import on the device in use."""
    skipped = stage.gpu_only if current() == "cpu" else ()
    used = {line.partition(" ")[0] for line in code_of(stage.__module__)}
    return [name for name in HEAVY if name in used and name not in skipped]


def import_for(stage: type[Stage]) -> None:
    """Import torch now if the stage will; torchvision is for some of its options only. What is not installed is for
    the stage to complain about."""
    if "torch" in heavy_libraries(stage):
        with contextlib.suppress(ImportError):
            importlib.import_module("torch")
