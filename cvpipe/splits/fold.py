"""One split: what is learned from, what is tested on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fold:
    """One split: rows of the data set, sorted int64, disjoint, without a group that is on both sides."""

    train: np.ndarray
    test: np.ndarray

    @classmethod
    def from_mask(cls, test: np.ndarray) -> Fold:
        """From an (n,) mask of the test images; all others are for training."""
        return cls(np.flatnonzero(~test), np.flatnonzero(test))
