"""Extrema of differences of Gaussians, compiled. Import it where it is used: numba takes half a second to load.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 3.1 and 4; Rey Otero &
Delbracio, "Anatomy of the SIFT Method", IPOL 2014, section 3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cvpipe.vision.compiled import compiled
from cvpipe.vision.dog_refinement import BORDER, OWN, Rules, refine

EARLY = 0.5
"""Share of the contrast threshold below which a sample is no candidate: the refined value may be larger."""


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
def refined(dog: np.ndarray, limit: np.float32, threshold: float, ratio: float, rules: Rules) -> np.ndarray:
    """(m, 7) float32 rows of layer, y, x (with fractions), |D|, and layer, y, x of the sample they were refined from.

    As of `keypoints`; samples with |D| below `limit` are no candidates.
    """
    places = _candidates(dog, limit, rules.equals)
    found = np.empty((len(places), 7), np.float32)
    count = 0
    for place in places:
        if refine(dog, place, threshold, ratio, rules, found[count]):
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
