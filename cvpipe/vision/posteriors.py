"""The posteriors of Gaussians, summed over rows, compiled. Import it where it is used: numba takes half a second."""

from __future__ import annotations

import numpy as np

from cvpipe.vision._exponential import LOG2_E, fast, power_of_two


@fast
def softmax(logits: np.ndarray, least: np.float32, totals: np.ndarray) -> int:
    """Posteriors from (n, k) float32 logs of weight times density, written over them; how many are not 0.

    totals (n,) float32 becomes the log of the sum of exp(logits). Posteriors below `least` become 0.
    """
    some = 0
    for i in range(len(logits)):
        row = logits[i]
        highest = row[0]
        for j in range(1, len(row)):
            highest = max(highest, row[j])
        total = np.float32(0)
        for j in range(len(row)):
            row[j] = power_of_two((row[j] - highest) * LOG2_E)  # e^-87 and all below count as 2^-126
            total += row[j]
        totals[i] = highest + np.log(total)
        for j in range(len(row)):
            share = row[j] / total
            row[j] = share if share >= least else np.float32(0)
            some += share >= least
    return some


@fast
def gather(posteriors: np.ndarray, rows: np.ndarray, sums: np.ndarray) -> None:
    """sums += posteriors' rows, for (n, k) posteriors of which most are 0; rows (n, d), sums (k, d); all float32."""
    for i in range(len(posteriors)):
        for j in range(posteriors.shape[1]):
            share = posteriors[i, j]
            if share != 0:
                for d in range(rows.shape[1]):
                    sums[j, d] += share * rows[i, d]
