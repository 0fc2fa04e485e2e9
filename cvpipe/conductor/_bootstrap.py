"""Bootstrap intervals of scores over splits.

What is drawn again is the image, or the group where images come in groups. The same draw counts in every
split: with repeats an image is tested several times, and its results are no independent evidence.

Units that were classified alike in all splits are exchangeable. So a replicate draws how often each *kind* of
unit occurs (one multinomial), not which units: the same distribution, and with few repeats a time that hardly
grows with the images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvpipe.conductor.metrics import Margins

REPLICATES = 2000
"""Resamples. The 2.5 % quantile is then known to about 0.35 percentage points of probability."""
CHUNK = 4_000_000
"""Numbers held at once for a part of the replicates (8 bytes each: 32 MB)."""


@dataclass(frozen=True)
class Tested:
    """m test results over all splits, an image once for each split that tests it."""

    unit: np.ndarray
    """(m,) what is drawn as one: the row of the image, or the number of its group."""
    split: np.ndarray
    """(m,) number of the split."""
    truth: np.ndarray
    """(m,) number of the true class."""
    predicted: np.ndarray
    """(m,) number of the predicted class."""
    splits: int
    classes: int

    def kinds(self) -> tuple[Any, np.ndarray]:
        """Units that were classified alike in all splits, as one kind each.

        Gives the margins that one unit of each kind adds, a (kinds, splits * 3 * classes) CSR matrix, and the
        number of units of each kind.
        """
        from scipy.sparse import csr_array

        units, unit = np.unique(self.unit, return_inverse=True)
        _, first, kind_of, size = np.unique(
            self._fingerprints(unit, len(units)), return_index=True, return_inverse=True, return_counts=True
        )
        kept = np.isin(unit, first)
        rows, start = kind_of[unit[kept]], self.split[kept] * 3 * self.classes
        truth, predicted = self.truth[kept], self.predicted[kept]
        hit = (truth == predicted).astype(float)
        ones = np.ones(len(hit))
        columns = [start + truth, start + self.classes + truth, start + 2 * self.classes + predicted]
        entries = (np.concatenate([hit, ones, ones]), (np.tile(rows, 3), np.concatenate(columns)))
        return csr_array(entries, shape=(len(size), self.splits * 3 * self.classes)), size

    def _fingerprints(self, unit: np.ndarray, units: int) -> np.ndarray:
        """(units,) equal for units with equal results.

        A sum of 64-bit random numbers, one for each split, truth and prediction: the probability that two
        different ones of a million units collide is below 1e-7.
        """
        cell, code = np.unique(
            (self.split * self.classes + self.truth) * self.classes + self.predicted, return_inverse=True
        )
        numbers = np.random.default_rng(0).integers(0, 2**64, len(cell), dtype=np.uint64)
        sums = np.zeros(units, np.uint64)
        np.add.at(sums, unit, numbers[code])
        return sums


def replicates(tested: Tested, seed: int) -> Iterator[Margins]:
    """`REPLICATES` resamples in parts; each array is (part, splits, classes)."""
    rng = np.random.default_rng(seed)
    adds, size = tested.kinds()
    part = max(1, min(REPLICATES, CHUNK // sum(adds.shape)))
    for start in range(0, REPLICATES, part):
        rows = min(part, REPLICATES - start)
        drawn = rng.multinomial(size.sum(), size / size.sum(), size=rows).astype(float)
        yield Margins(*np.moveaxis((drawn @ adds).reshape(rows, tested.splits, 3, tested.classes), 2, 0))


def interval(values: Sequence[np.ndarray], observed: float) -> list[float]:
    """[low, high] within [0, 1] for the mean over splits, from its resamples in parts of (part, splits).

    The 2.5 % and 97.5 % quantiles, shifted by the bias that the resamples show against the `observed` mean: with few
    test images in a class a resample may lose it, and macro F1 of resamples is too low all over. A split of which no
    test image was drawn has no value (NaN); the mean is over the others.

    Source: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, sections 10.6 (bias) and 13.3 (percentiles).
    """
    means = np.nanmean(np.concatenate(values), axis=1)
    quantiles = np.quantile(means, [0.025, 0.975]) - (means.mean() - observed)
    return np.clip(quantiles, 0.0, 1.0).tolist()
