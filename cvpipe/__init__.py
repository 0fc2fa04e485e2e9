"""cvpipe: which image features work best on your images, at what cost, and is the difference real?

Everything public is here and is imported on first use: `import cvpipe` alone pulls in neither numpy nor OpenCV.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cvpipe.api import plan as plan
    from cvpipe.api import run as run
    from cvpipe.comparing import compare as compare
    from cvpipe.comparison.load import load_comparison as load_comparison
    from cvpipe.comparison.result import Comparison as Comparison
    from cvpipe.conductor.load import load as load
    from cvpipe.conductor.pipeline import Pipeline as Pipeline
    from cvpipe.conductor.result import RunResult as RunResult
    from cvpipe.data import Dataset as Dataset
    from cvpipe.data import Descriptors as Descriptors
    from cvpipe.data import Features as Features
    from cvpipe.data import Images as Images
    from cvpipe.data import Keypoints as Keypoints
    from cvpipe.data import Maps as Maps
    from cvpipe.data import Patches as Patches
    from cvpipe.data import Predictions as Predictions
    from cvpipe.datasets import load_dataset as load_dataset
    from cvpipe.errors import CvpipeError as CvpipeError
    from cvpipe.errors import DataError as DataError
    from cvpipe.errors import RunError as RunError
    from cvpipe.errors import SpecError as SpecError
    from cvpipe.spec import load_spec as load_spec
    from cvpipe.stage import Classifier as Classifier
    from cvpipe.stage import Learner as Learner
    from cvpipe.stage import Stage as Stage


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
