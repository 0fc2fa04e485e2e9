"""cvpipe: which image features work best on your images, at what cost, and is the difference real?

Everything public is here and is imported on first use: `import cvpipe` alone pulls in neither numpy nor OpenCV.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cvpipe.api import plan, run
    from cvpipe.comparing import compare
    from cvpipe.comparison.load import load_comparison
    from cvpipe.comparison.result import Comparison
    from cvpipe.conductor.load import load
    from cvpipe.conductor.pipeline import Pipeline
    from cvpipe.conductor.result import RunResult
    from cvpipe.data import Dataset, Descriptors, Features, Images, Keypoints, Maps, Patches, Predictions
    from cvpipe.datasets import load_dataset
    from cvpipe.errors import CvpipeError, DataError, RunError, SpecError
    from cvpipe.spec import load_spec
    from cvpipe.stage import Classifier, Learner, Stage

__version__ = "0.1.0"

_HOMES = {
    "cvpipe.api": ("plan", "run"),
    "cvpipe.comparing": ("compare",),
    "cvpipe.comparison.load": ("load_comparison",),
    "cvpipe.comparison.result": ("Comparison",),
    "cvpipe.data": (
        "Dataset",
        "Descriptors",
        "Features",
        "Images",
        "Keypoints",
        "Maps",
        "Patches",
        "Predictions",
    ),
    "cvpipe.datasets": ("load_dataset",),
    "cvpipe.errors": ("CvpipeError", "DataError", "RunError", "SpecError"),
    "cvpipe.conductor.pipeline": ("Pipeline",),
    "cvpipe.conductor.result": ("RunResult",),
    "cvpipe.conductor.load": ("load",),
    "cvpipe.spec": ("load_spec",),
    "cvpipe.stage": ("Classifier", "Learner", "Stage"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'cvpipe' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
