"""What the explicit feature maps of additive kernels share: their options, the check and the map."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Interval

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.options import Positive
from cvpipe.stage import Stage
from cvpipe.vision.additive_maps import additive_map


class AdditiveMap(Stage):
    """Features whose inner products are nearly an additive kernel, by samples of the kernel's spectrum."""

    intervals: ClassVar[dict[int, float]]
    """Distance of frequencies by their number, where none is given."""
    cached = False

    # Sampled frequencies; 3 is closer, and 5 numbers a feature.
    steps: Annotated[int, Interval(ge=1, le=3)] = 2
    interval: Positive | None = None  # between the frequencies; null takes the best one for `steps`

    def transform(self, features: Features) -> Features:
        """(n, D) -> (n, D * (2 steps - 1)) float32. Raises `RunError` for negative features."""
        lowest = features.values.min(initial=0)
        if lowest < 0:
            said = f"the kernel is for features that are not negative, but one is {lowest:.3g}"
            raise RunError(said, self.name)
        interval = self.intervals[self.steps] if self.interval is None else self.interval
        return Features(values=additive_map(features.values, self.spectrum, self.steps, interval))

    def spectrum(self, frequency: float) -> float:
        """Of the kernel's signature, at a frequency of the logarithm of x / y."""
        raise NotImplementedError(f"stage '{self.name}' has no spectrum")
