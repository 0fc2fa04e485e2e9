"""Features for a linear classifier that does what the histogram intersection kernel does."""

from __future__ import annotations

from typing import ClassVar

from cvpipe.stages.features._additive import AdditiveMap
from cvpipe.vision.additive_maps import intersection_spectrum


class IntersectionMap(AdditiveMap):
    """Each feature becomes 2 steps - 1 numbers, whose inner products are nearly the kernel sum min(x, y).

    Takes (n, D) features that are not negative, such as histograms, gives (n, D * (2 steps - 1)) float32; zero
    gives zeros. Raises `RunError` for negative features.

    Source: Vedaldi & Zisserman, "Efficient additive kernels via explicit feature maps", IEEE Trans. PAMI 2012,
    section 4.
    """

    # Those with the least mean squared error of the kernel, over pairs of numbers with an exponential distribution, in
    # steps of 0.1.
    intervals: ClassVar[dict[int, float]] = {1: 1.1, 2: 0.8, 3: 0.7}

    def spectrum(self, frequency: float) -> float:
        """Of the kernel."""
        return intersection_spectrum(frequency)
