"""The 5x2cv F test: five times two halves, each learned from once and tested once.

With halves the training sets of one repeat do not overlap, and the variance can be estimated within repeats.

Source: Alpaydin, "Combined 5 x 2 cv F test for comparing supervised classification learning algorithms", Neural
Computation 1999, section 3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from cvpipe.statistics.corrected_t import equal

REPEATS = 5
"""The degrees of freedom, 10 and 5, are for five repeats."""


class FiveByTwo(NamedTuple):
    """What the test found."""

    statistic: float
    """F with 10 and 5 degrees of freedom."""
    p: float


def five_by_two(differences: np.ndarray) -> FiveByTwo | None:
    """Test (5, 2) differences: row = repeat, column = the half that was tested on.

    None where the halves of every repeat agree: no variance is left to judge by. Raises `ValueError` for another shape.
    """
    values = np.asarray(differences, float)
    if values.shape != (REPEATS, 2):
        raise ValueError(f"the test is for (5, 2) differences, got {values.shape}")
    if equal(values):
        return None
    within = ((values - values.mean(axis=1, keepdims=True)) ** 2).sum()
    statistic = float((values**2).sum() / (2 * within))
    return FiveByTwo(statistic, float(special.fdtrc(2 * REPEATS, REPEATS, statistic)))
