"""Is a difference that was measured on several splits of one data set larger than the choice of the split explains?

Training sets of different splits overlap, so differences between splits vary less than those between independent data
sets would, and the usual paired t-test finds differences where there are none (in half of the cases, with many
repeats). The corrected test adds what the overlap hides.

Source: Nadeau & Bengio, "Inference for the generalization error", Machine Learning 2003 (the corrected resampled
t-test); for repeated cross-validation Bouckaert & Frank, PAKDD 2004, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special

LEVEL = 0.95
"""Coverage of the interval."""


class CorrectedT(NamedTuple):
    """What the test found."""

    statistic: float
    """Student's t with n - 1 degrees of freedom; infinite where all differences are equal and not zero."""
    p: float
    """Two-sided."""
    interval: tuple[float, float]
    """95 % interval of the difference."""


def corrected_t(differences: Sequence[float] | np.ndarray, test_per_train: float) -> CorrectedT:
    """Test (n,) differences between splits, n of at least 2; `test_per_train` is test images by training images, 1/4
    for five folds. Equal scores in every split give p = 1."""
    values = np.asarray(differences, float)
    mean, error = float(values.mean()), standard_error(values, test_per_train)
    if error == 0:
        statistic = math.copysign(math.inf, mean) if mean else 0.0
        return CorrectedT(statistic, float(mean == 0), (mean, mean))
    freedom = len(values) - 1
    half = float(special.stdtrit(freedom, (1 + LEVEL) / 2)) * error
    p = 2 * float(special.stdtr(freedom, -abs(mean) / error))
    return CorrectedT(mean / error, p, (mean - half, mean + half))


def standard_error(values: np.ndarray, test_per_train: float) -> float:
    """Of the mean of (n,) values from overlapping splits; values that differ by rounding only give 0."""
    variance = float(values.var(ddof=1))
    if variance < (1e-12 * max(1.0, float(np.abs(values).max()))) ** 2:
        return 0.0
    return math.sqrt((1 / len(values) + test_per_train) * variance)
