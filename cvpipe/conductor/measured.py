"""What was measured in a run: scores, costs, the predictions of each split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvpipe.data import Predictions


@dataclass(frozen=True)
class Score:
    """One metric over the splits, each value in [0, 1]."""

    mean: float
    std: float
    """Standard deviation over splits (n - 1 in the denominator; 0 for one split)."""
    values: list[float]
    """One for each split."""
    ci95: list[float]
    """[low, high] of a 95 % bootstrap interval of the mean, over images (over groups where there are any)."""


@dataclass(frozen=True)
class StageCost:
    """What one stage cost, summed over splits."""

    name: str
    fit_s: float
    """Wall seconds in `fit`."""
    transform_s: float
    """Seconds of work in `transform` divided by the number of workers."""
    images_per_s: float
    """Images transformed per second of `transform_s`; 0 if all came from the cache."""
    peak_rss_mb: float
    """The largest resident memory of the process seen while the stage ran, MB."""
    output: str
    """What it gives, such as `Descriptors 2100 images, 731204 x 128 uint8`."""
    cached: bool
    """True if nothing had to be computed."""
    fit_cost_s: float | None = None
    """Wall seconds that its fits took when they were computed, in this run or in an earlier one whose results were in
    the cache; None where that is not known."""


@dataclass(frozen=True, eq=False)
class SplitResult:
    """The predictions of one split."""

    train: np.ndarray
    """Rows of the data set that were learned from."""
    test: np.ndarray
    """Rows of the data set that were predicted."""
    predictions: Predictions
    """For the rows in `test`."""
