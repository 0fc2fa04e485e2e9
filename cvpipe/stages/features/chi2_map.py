"""Features for a linear classifier that does what the chi-square kernel does."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from cvpipe.data import Features
from cvpipe.options import Positive
from cvpipe.stage import Stage
from cvpipe.stages.features._additive import mapped
from cvpipe.vision.additive_maps import chi2_spectrum

INTERVALS = {1: 0.8, 2: 0.5, 3: 0.4}
"""Best distance of frequencies by their number: Vedaldi & Zisserman 2012, figure 2 (c)."""


class Chi2Map(Stage):
    """Each feature becomes 2 steps - 1 numbers, whose inner products are nearly the kernel sum 2 x y / (x + y).

    Takes (n, D) features that are not negative, such as histograms, gives (n, D * (2 steps - 1)) float32; zero
    gives zeros. Raises `RunError` for negative features.

    Source: Vedaldi & Zisserman, "Efficient additive kernels via explicit feature maps", IEEE Trans. PAMI 2012,
    section 4.
    """

    # Sampled frequencies; 3 is closer, and 5 numbers a feature.
    steps: Annotated[int, Interval(ge=1, le=3)] = 2
    interval: Positive | None = None  # between the frequencies; null takes the best one for `steps`

    cached = False

    def transform(self, features: Features) -> Features:
        """(n, D) -> (n, D * (2 steps - 1)) float32."""
        interval = INTERVALS[self.steps] if self.interval is None else self.interval
        return mapped(self, features, chi2_spectrum, self.steps, interval)
