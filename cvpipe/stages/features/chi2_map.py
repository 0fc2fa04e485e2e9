"""Features for a linear classifier that does what the chi-square kernel does."""

from __future__ import annotations

from typing import ClassVar

from cvpipe.stages.features._additive import AdditiveMap
from cvpipe.vision.additive_maps import chi2_spectrum


class Chi2Map(AdditiveMap):
    """Each feature becomes 2 steps - 1 numbers, whose inner products are nearly the kernel sum 2 x y / (x + y).

    Takes (n, D) features that are not negative, such as histograms, gives (n, D * (2 steps - 1)) float32; zero
    gives zeros. Raises `RunError` for negative features.

    Source: Vedaldi & Zisserman, "Efficient additive kernels via explicit feature maps", IEEE Trans. PAMI 2012,
    section 4.
    """

    # The best ones: Vedaldi & Zisserman 2012, figure 2 (c).
    intervals: ClassVar[dict[int, float]] = {1: 0.8, 2: 0.5, 3: 0.4}

    def spectrum(self, frequency: float) -> float:
        """Of the kernel."""
        return chi2_spectrum(frequency)
