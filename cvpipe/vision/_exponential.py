"""Powers of two in float32 that run eight at a time, compiled. Import it where it is used: numba takes half a second.

The exponential of the C library is one call for each number.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import FAST, compiled

LOG2_E = np.float32(1.4426950408889634)
MOST = np.float32(126)
"""Exponents lie between this and its negative, where 2^x is a normal float32 number: e^87 and e^-87."""
P1, P2, P3, P4, P5, P6 = map(
    np.float32, (6.9314720e-1, 2.4022648e-1, 5.5503325e-2, 9.6184373e-3, 1.3398874e-3, 1.5353362e-4)
)
"""2^f = 1 + P1 f + … + P6 f^6 for |f| <= 0.5, within 3e-7: the Cephes library's exp2f (S. Moshier, 1989)."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def power_of_two(x: np.float32) -> np.float32:
    """2^x with a relative error below 1e-7; x is limited to -126 … 126."""
    power = min(max(x, -MOST), MOST)
    whole = np.floor(power + np.float32(0.5))
    f = power - whole
    series = ((((P6 * f + P5) * f + P4) * f + P3) * f + P2) * f + P1
    scale = np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)).view(np.float32)
    return np.float32((series * f + np.float32(1)) * scale)
