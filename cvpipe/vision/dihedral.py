"""What SIFT descriptors become when their neighbourhood is mirrored or turned by quarter turns: a permutation."""

from __future__ import annotations

from typing import Literal

import numpy as np

Group = Literal["mirror", "turns", "all"]

SHAPE = (4, 4, 8)
"""Rows, columns and orientations of a descriptor; Lowe 2004, section 6.1."""


def permutations(group: Group) -> np.ndarray:
    """(g, 128): row r lists which component of a descriptor comes where; the first leaves it as it is.

    `mirror` is left to right (g = 2), `turns` are quarter turns (g = 4), `all` is both: the dihedral group of the
    square (g = 8). Orientation bins are centred on multiples of 45 degrees, so that each falls on another one.
    """
    own = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    mirrored = [own, _mirrored(own)] if group != "turns" else [own]
    turns = 1 if group == "mirror" else 4
    found = []
    for start in mirrored:
        for _ in range(turns):
            found.append(start.ravel())
            start = _turned(start)
    return np.stack(found)


def _mirrored(components: np.ndarray) -> np.ndarray:
    """Columns in reverse; an angle a becomes 180 degrees - a."""
    return components[:, ::-1, (4 - np.arange(8)) % 8]


def _turned(components: np.ndarray) -> np.ndarray:
    """A quarter turn from the x axis towards the y axis; an angle a becomes a + 90 degrees."""
    return np.rot90(components, -1)[:, :, (np.arange(8) - 2) % 8]
