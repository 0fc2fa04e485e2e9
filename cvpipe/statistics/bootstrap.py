"""The paired bootstrap: how much would a difference vary with other test images?

Images (or groups of images, where they come in groups) are drawn again with replacement. All pipelines are scored on
the same draws, so what makes an image hard for everybody cancels out of their difference.

Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, sections 10.6 (bias), 13.3 (percentiles) and
16.4 (tests); for comparing systems on the same test data Koehn, EMNLP 2004.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

REPLICATES = 2000
"""Draws. The 2.5 % quantile is then known to about 0.35 percentage points of probability."""
ROUNDING = 1e-12
"""Resamples that differ by less are equal."""
SMALLEST = 1e-300
"""No p is 0."""
CHUNK = 4_000_000
"""Numbers of one part of the draws (4 bytes each: 16 MB)."""


def draws(units: int, seed: int, replicates: int = REPLICATES) -> Iterator[np.ndarray]:
    """How often each unit is drawn: (part, units) float32 in parts of the `replicates`; each row sums to `units`."""
    rng = np.random.default_rng(seed)
    part = max(1, min(replicates, CHUNK // units))
    for start in range(0, replicates, part):
        rows = min(part, replicates - start)
        drawn = rng.integers(0, units, (rows, units)) + np.arange(rows)[:, None] * units
        counts = np.bincount(drawn.ravel(), minlength=rows * units)
        yield counts.reshape(rows, units).astype(np.float32)


def interval(resampled: np.ndarray, observed: float, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of a difference, shifted by the bias of its (replicates,) resamples."""
    values = resampled[np.isfinite(resampled)]
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(values, tails) - (values.mean() - observed)
    return float(low), float(high)


def p_value(resampled: np.ndarray, observed: float) -> float:
    """Two-sided: how often the resamples lie as far from what was observed as zero does. No difference gives p = 1.

    Where none of them does, their number says only that p is below 1 / (n + 1), which would not survive a correction
    for many pairs: then it is that of a normal distribution of their spread.
    """
    values = resampled[np.isfinite(resampled)]
    far = int((np.abs(values - values.mean()) >= abs(observed) - 1e-12).sum())
    least = 1 / (len(values) + 1)
    spread = float(values.std()) if len(values) else 0.0
    if far == 0 and spread > ROUNDING:
        return min(least, max(math.erfc(abs(observed) / spread / math.sqrt(2)), SMALLEST))
    return (far + 1) * least
