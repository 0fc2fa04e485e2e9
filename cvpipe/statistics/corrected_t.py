"""Is a difference that was measured on several splits of one data set larger than the choice of the split explains?

Training sets of different splits overlap, so differences between splits vary less than those between independent data
sets would, and the usual paired t-test finds differences where there are none (in half of the cases, with many
repeats). The corrected test adds what the overlap hides.

Source: Nadeau & Bengio, "Inference for the generalization error", Machine Learning 2003 (the corrected resampled
t-test); for repeated cross-validation Bouckaert & Frank, PAKDD 2004, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

LEVEL = 0.95
"""Coverage of the interval."""
ROUNDING = 1e-12
"""Differences of shares nearer than that are equal: doubles near 1 are 2e-16 apart, and a mean over images adds up a
few of those."""


class CorrectedT(NamedTuple):
    """What the test found."""

    statistic: float
    """Student's t with n - 1 degrees of freedom."""
    p: float
    """Two-sided."""
    interval: tuple[float, float]
    """95 % interval of the difference."""


def corrected_t(differences: Sequence[float] | np.ndarray, test_per_train: float) -> CorrectedT | None:
    """Test (n,) differences between splits, n of at least 2; `test_per_train` is test images by training images, 1/4
    for five folds.

    None where the differences are equal. Scores are counts of images, so a few splits often agree by chance, and then
    nothing tells how much others would differ.
    """
    values = np.asarray(differences, float)
    if equal(values):
        return None
    mean, error = float(values.mean()), standard_error(values, test_per_train)
    freedom = len(values) - 1
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    p = 2 * float(special.stdtr(freedom, -abs(mean) / error))
    return CorrectedT(mean / error, p, (mean - half, mean + half))


def standard_error(values: np.ndarray, test_per_train: float) -> float:
    """Of the mean of (n,) values from overlapping splits."""
    return float(np.sqrt((1 / len(values) + test_per_train) * values.var(ddof=1)))


def equal(values: np.ndarray) -> bool:
    """Whether values along the last axis are equal, up to rounding."""
    return bool((np.abs(values - values.mean(axis=-1, keepdims=True)) < ROUNDING).all())
