"""Places of extrema between samples, compiled. Import it where it is used: numba takes half a second to load.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 4; Rey Otero & Delbracio,
"Anatomy of the SIFT Method", IPOL 2014, section 3.2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cvpipe.vision.compiled import compiled

BORDER = 5
"""Samples at each side of an octave without keypoints: mirrored values decide there. As in OpenCV."""
STEPS = 5
"""Refinements of one place before it is given up (Rey Otero & Delbracio, section 3.2)."""
FAR = 1e6
"""Offset that makes no sense, samples: the Hessian matrix is as good as singular."""


class Rules(NamedTuple):
    """What programs do differently."""

    reach: np.float32  # a refined place this near a sample, in samples, is kept there
    equals: bool  # of equal neighbours, all are extrema, not one


OWN = Rules(np.float32(0.55), equals=False)
"""A reach between 0.5 (Lowe 2004, section 4), which loses places half-way between two samples that go to and fro, and
0.6 (Rey Otero & Delbracio, section 3.2)."""
OPENCV = Rules(np.float32(0.5), equals=True)
"""As OpenCV 5.0 does."""


@compiled()
def _fit(dog: np.ndarray, s: int, y: int, x: int, out: np.ndarray) -> bool:
    """Offsets (s, y, x) of the extremum of the quadratic through a sample and its neighbours, and its value.

    The gradient g and the Hessian matrix H are finite differences (Rey Otero & Delbracio, equation 13), the offset is
    -H^-1 g, the value D + g . offset / 2 (Lowe 2004, equation 3 and the one after it). False if H is singular.
    """
    at, before, after = dog[s], dog[s - 1], dog[s + 1]
    twice = 2 * at[y, x]
    gs = (after[y, x] - before[y, x]) / 2
    gy = (at[y + 1, x] - at[y - 1, x]) / 2
    gx = (at[y, x + 1] - at[y, x - 1]) / 2
    hss = after[y, x] + before[y, x] - twice
    hyy = at[y + 1, x] + at[y - 1, x] - twice
    hxx = at[y, x + 1] + at[y, x - 1] - twice
    hsy = (after[y + 1, x] - after[y - 1, x] - before[y + 1, x] + before[y - 1, x]) / 4
    hsx = (after[y, x + 1] - after[y, x - 1] - before[y, x + 1] + before[y, x - 1]) / 4
    hyx = (at[y + 1, x + 1] - at[y + 1, x - 1] - at[y - 1, x + 1] + at[y - 1, x - 1]) / 4
    # The adjugate of a symmetric matrix.
    ass, ayy, axx = hyy * hxx - hyx * hyx, hss * hxx - hsx * hsx, hss * hyy - hsy * hsy
    asy, asx, ayx = hsx * hyx - hsy * hxx, hsy * hyx - hsx * hyy, hsy * hsx - hss * hyx
    determinant = hss * ass + hsy * asy + hsx * asx
    if determinant == 0:
        return False
    out[0] = -(ass * gs + asy * gy + asx * gx) / determinant
    out[1] = -(asy * gs + ayy * gy + ayx * gx) / determinant
    out[2] = -(asx * gs + ayx * gy + axx * gx) / determinant
    out[3] = at[y, x] + (gs * out[0] + gy * out[1] + gx * out[2]) / 2
    return True


@compiled()
def _is_edge(at: np.ndarray, y: int, x: int, ratio: float) -> bool:
    """Whether one principal curvature is `ratio` times the other or more, or they differ in sign.

    Trace^2 / determinant of the 2x2 Hessian matrix against (r + 1)^2 / r (Lowe 2004, section 4.1; Rey Otero &
    Delbracio, equation 18).
    """
    twice = 2 * at[y, x]
    hyy = at[y + 1, x] + at[y - 1, x] - twice
    hxx = at[y, x + 1] + at[y, x - 1] - twice
    hyx = (at[y + 1, x + 1] - at[y + 1, x - 1] - at[y - 1, x + 1] + at[y - 1, x - 1]) / 4
    determinant = hxx * hyy - hyx * hyx
    return determinant <= 0 or (hxx + hyy) ** 2 * ratio >= (ratio + 1) ** 2 * determinant


@compiled()
def refine(
    dog: np.ndarray,
    place: tuple[int, int, int],
    threshold: float,
    ratio: float,
    rules: Rules,
    out: np.ndarray,
) -> bool:
    """Whether a candidate stays: `out` becomes its layer, y, x (samples, with fractions), |value| and the sample."""
    layers, height, width = dog.shape
    s, y, x = place
    for _ in range(STEPS):
        if not _fit(dog, s, y, x, out):
            return False
        far = max(abs(out[0]), abs(out[1]), abs(out[2]))
        if far >= FAR:
            return False
        if far < rules.reach:
            kept = abs(out[3]) >= threshold and not _is_edge(dog[s], y, x, ratio)
            out[3] = abs(out[3])
            out[4], out[5], out[6] = s, y, x
            for k in range(3):
                out[k] += out[4 + k]
            return kept
        s, y, x = s + round(out[0]), y + round(out[1]), x + round(out[2])
        if not (1 <= s < layers - 1 and BORDER <= y < height - BORDER and BORDER <= x < width - BORDER):
            return False
    return False
