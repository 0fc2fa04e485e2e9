"""How large is a difference, beside how sure? A p value shrinks with the number of images, these do not.

Two that suit paired data: Cohen's d of the differences between splits, and Cohen's g of the images on which two
classifiers disagree, the effect size that belongs to McNemar's test.

Source: Cohen, "Statistical Power Analysis for the Behavioral Sciences", 1988, section 2.3.5 (d for paired samples,
there d_z) and chapter 5 (g); Lakens, Frontiers in Psychology 2013, equation 6.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def cohens_d(differences: Sequence[float] | np.ndarray) -> float | None:
    """Mean of (n,) paired differences in units of their deviation. About 0.2 is small, 0.5 medium, 0.8 large.

    None for fewer than two, or where they do not vary.
    """
    values = np.asarray(differences, float)
    if len(values) < 2 or (deviation := float(values.std(ddof=1))) < 1e-12:
        return None
    return float(values.mean()) / deviation


def cohens_g(only_a: int, only_b: int) -> float:
    """By how much the share of a among the images that only one gets right exceeds one half; in [-0.5, 0.5], 0 without
    any. About 0.05 is small, 0.15 medium, 0.25 large."""
    total = only_a + only_b
    return only_a / total - 0.5 if total else 0.0
