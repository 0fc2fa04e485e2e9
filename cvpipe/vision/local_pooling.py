"""Codes pooled in small squares of positions: maps that a next layer can look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvpipe.vision.region_pooling import Pool


def squares(codes: np.ndarray, side: int, pools: Sequence[Pool]) -> np.ndarray:
    """(rows, width, K) float32 codes -> (rows // side, width // side, pools * K) float32, pool after pool.

    Each number is over side x side positions; positions left over at the right and the lower border are dropped.
    The deviation divides by the number of positions.
    """
    rows, columns = (length // side for length in codes.shape[:2])
    kept = codes[: rows * side, : columns * side].reshape(rows, side, columns, side, -1)
    return np.concatenate([_over_squares(kept, pool) for pool in pools], axis=-1)


def _over_squares(kept: np.ndarray, pool: Pool) -> np.ndarray:
    pooled: np.ndarray = getattr(kept, pool)(axis=(1, 3))
    return pooled
