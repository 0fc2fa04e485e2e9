"""Extrema of differences of Gaussians, compiled. Import it where it is used: numba takes half a second to load.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 3.1 and 4; Rey Otero &
Delbracio, "Anatomy of the SIFT Method", IPOL 2014, section 3.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cvpipe.vision.compiled import compiled

BORDER = 5
"""Samples at each side of an octave without keypoints: mirrored values decide there. As in OpenCV."""
STEPS = 5
"""Refinements of one place before it is given up (Rey Otero & Delbracio, section 3.2)."""
EARLY = 0.5
"""Share of the contrast threshold below which a sample is no candidate: the refined value may be larger."""

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
def _is_extremum(dog: np.ndarray, s: int, y: int, x: int, equals: bool) -> bool:
    """Whether a sample is above (or below) its 26 neighbours; of equal ones all are, or the last one only."""
    value = dog[s, y, x]
    sign = np.float32(1) if value > 0 else np.float32(-1)
    value *= sign
    for ds in range(-1, 2):
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                other = sign * dog[s + ds, y + dy, x + dx]
                if other > value or (other == value and not equals and 9 * ds + 3 * dy + dx > 0):
                    return False
    return True


@compiled(fastmath={"nnan", "nsz"}, error_model="numpy")
def _margins(
    at: Any, above: Any, below: Any, before: Any, after: Any, limit: np.float32, out: np.ndarray
) -> None:
    """How far each sample of a row is past the limit and its six nearest neighbours; negative if it is not.

    Without branches, so that it runs on vectors; few samples are left for the 26 neighbours.
    """
    for x in range(1, len(at) - 1):
        value = at[x]
        high = max(max(max(at[x - 1], at[x + 1]), max(above[x], below[x])), max(before[x], after[x]))
        low = min(min(min(at[x - 1], at[x + 1]), min(above[x], below[x])), min(before[x], after[x]))
        out[x] = max(value - max(high, limit), min(low, -limit) - value)


@compiled()
def _candidates(dog: np.ndarray, limit: np.float32, equals: bool) -> list[tuple[int, int, int]]:
    layers, height, width = dog.shape
    found = [(0, 0, 0) for _ in range(0)]
    margins = np.empty(width, np.float32)
    for s in range(1, layers - 1):
        for y in range(BORDER, height - BORDER):
            _margins(dog[s, y], dog[s, y - 1], dog[s, y + 1], dog[s - 1, y], dog[s + 1, y], limit, margins)
            for x in range(BORDER, width - BORDER):
                if margins[x] >= 0 and _is_extremum(dog, s, y, x, equals):
                    found.append((s, y, x))
    return found


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
def _refine(
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


@compiled()
def refined(dog: np.ndarray, limit: np.float32, threshold: float, ratio: float, rules: Rules) -> np.ndarray:
    """(m, 7) float32 rows of layer, y, x (with fractions), |D|, and layer, y, x of the sample they were refined from.

    As of `keypoints`; samples with |D| below `limit` are no candidates.
    """
    places = _candidates(dog, limit, rules.equals)
    found = np.empty((len(places), 7), np.float32)
    count = 0
    for place in places:
        if _refine(dog, place, threshold, ratio, rules, found[count]):
            count += 1
    return found[:count]


def candidates(dog: np.ndarray, threshold: float) -> np.ndarray:
    """(m, 3) int64 layer, y, x of the samples of (L, h, w) float32 that are above or below their 26 neighbours.

    Only those with an absolute value above `threshold`, in layers 1 to L - 2 and `BORDER` samples off each side (Lowe
    2004, section 3.1). Of equal neighbours one counts.
    """
    return np.array(_candidates(dog, np.float32(threshold), OWN.equals), np.int64).reshape(-1, 3)


def keypoints(dog: np.ndarray, threshold: float, edge_ratio: float) -> np.ndarray:
    """(m, 4) float32 rows of layer, y, x (samples, with fractions) and |D| at the refined extrema of (L, h, w) float32.

    Kept are those with |D| of at least `threshold` (Lowe 2004, section 4) and a ratio of the principal curvatures
    below `edge_ratio` (section 4.1). Not sorted.
    """
    return refined(dog, np.float32(EARLY * threshold), threshold, edge_ratio, OWN)[:, :4]
