"""What the explicit feature maps of additive kernels share: the check and the map."""

from __future__ import annotations

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stage import Stage
from cvpipe.vision.additive_maps import Spectrum, additive_map


def mapped(stage: Stage, features: Features, spectrum: Spectrum, steps: int, interval: float) -> Features:
    """(n, D) -> (n, D * (2 steps - 1)) float32. Raises `RunError` for negative features."""
    lowest = features.values.min(initial=0)
    if lowest < 0:
        said = f"the kernel is for features that are not negative, but one is {lowest:.3g}"
        raise RunError(said, stage.name)
    return Features(values=additive_map(features.values, spectrum, steps, interval))
