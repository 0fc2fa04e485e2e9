"""The posteriors of Gaussians, summed over rows, compiled. Import it where it is used: numba takes half a second."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import compiled

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered, so that they run eight at a time; NaN and infinity keep their meaning."""
LOG2_E = np.float32(1.4426950408889634)
LEAST = np.float32(-126)
"""Smallest exponent of a normal float32 number: e^-87 and all below count as 2^-126."""
P1, P2, P3, P4, P5, P6 = map(
    np.float32, (6.9314720e-1, 2.4022648e-1, 5.5503325e-2, 9.6184373e-3, 1.3398874e-3, 1.5353362e-4)
)
"""2^f = 1 + P1 f + … + P6 f^6 for f in [0, 1), within 3e-7: the Cephes library's exp2f (S. Moshier, 1989)."""


@compiled(fastmath=FAST, error_model="numpy")
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
            power = max((row[j] - highest) * LOG2_E, LEAST)
            whole = np.floor(power)
            f = power - whole
            series = ((((P6 * f + P5) * f + P4) * f + P3) * f + P2) * f + P1
            scale = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
            row[j] = (series * f + np.float32(1)) * scale
            total += row[j]
        totals[i] = highest + np.log(total)
        for j in range(len(row)):
            share = row[j] / total
            row[j] = share if share >= least else np.float32(0)
            some += share >= least
    return some


@compiled(fastmath=FAST, error_model="numpy")
def gather(posteriors: np.ndarray, rows: np.ndarray, sums: np.ndarray) -> None:
    """sums += posteriors' rows, for (n, k) posteriors of which most are 0; rows (n, d), sums (k, d); all float32."""
    for i in range(len(posteriors)):
        for j in range(posteriors.shape[1]):
            share = posteriors[i, j]
            if share != 0:
                for d in range(rows.shape[1]):
                    sums[j, d] += share * rows[i, d]
