"""The paired bootstrap: how much would a difference vary with other test images?

Images (or groups of images, where they come in groups) are drawn again with replacement. All pipelines are scored on
the same draws, so what makes an image hard for everybody cancels out of their difference.

Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, sections 10.6 (bias), 13.3 (percentiles) and
16.4 (tests); for comparing systems on the same test data Koehn, EMNLP 2004.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

REPLICATES = 2000
"""Draws. The 2.5 % quantile is then known to about 0.35 percentage points of probability."""
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
    """Two-sided: how often the resamples lie as far from what was observed as zero does. No difference gives p = 1."""
    values = resampled[np.isfinite(resampled)]
    far = np.abs(values - values.mean()) >= abs(observed) - 1e-12
    return float((far.sum() + 1) / (len(values) + 1))
