"""From white rows to codes: a linear part, which is folded into the filters, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from cvpipe.vision import filter_codes


@dataclass(frozen=True)
class Coding:
    """From a white row x to codes: `encode(x @ matrix + offset)`."""

    matrix: np.ndarray
    """(d, K) float32."""
    offset: np.ndarray
    """(K,) float32."""
    encode: Callable[[np.ndarray], np.ndarray]
    """(n, K) float32, which it may overwrite -> (n, codes) float32, row by row."""

    @property
    def codes(self) -> int:
        """How many codes a row has."""
        return self.encode(self.offset[None].copy()).shape[1]


def triangle_coding(centres: np.ndarray) -> Coding:
    """How much nearer than usual a white row is to each of (K, d) centres."""
    size = centres.shape[1]
    code = partial(filter_codes.triangle, table=filter_codes.distance_table(centres))
    return Coding(np.eye(size, dtype=np.float32), np.zeros(size, np.float32), code)
