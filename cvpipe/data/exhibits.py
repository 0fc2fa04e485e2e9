"""What a fitted stage shows of itself: pictures, curves and facts as plain data. The report draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, eq=False)
class Gallery:
    """Small pictures in rows."""

    title: str
    images: np.ndarray
    """(n, h, w, 3) uint8 RGB."""
    captions: Sequence[str] = ()
    """One for each picture, or none at all."""
    note: str = ""
    """What to see in it, in a sentence or two."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Lines over one axis."""

    title: str
    x_label: str
    """With its unit."""
    y_label: str
    """With its unit."""
    series: Mapping[str, tuple[np.ndarray, np.ndarray]]
    """(x, y) by the name of the line, (n,) each."""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Facts:
    """Names and values, in words."""

    title: str
    rows: Sequence[tuple[str, str]] = field(default_factory=list)
    note: str = ""


Exhibit = Gallery | Curves | Facts
