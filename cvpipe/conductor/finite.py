"""Numbers that a stage gives have to be numbers: one NaN among the training images, and a classifier learns nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cvpipe.data import Batch
from cvpipe.errors import RunError


def refuse_not_finite(batch: Batch, ids: Sequence[str], stage: str) -> None:
    """Raise `RunError` if a stage gave the images with these `ids` a NaN or infinity; it names the first of them."""
    for name, array in batch.arrays().items():
        if array.dtype.kind != "f" or _all_finite(array):
            continue
        good = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        if good.all():
            continue
        row = int(good.argmin())
        what = "NaN" if np.isnan(array[row]).any() else "infinity"
        image = row if name not in batch.per_row else _owner(batch, row)
        raise RunError(f"stage '{stage}' gives {what} for image '{ids[image]}'")


def _all_finite(array: np.ndarray) -> bool:
    """Whether the sum is finite: then all are. It reads memory once and writes none; large numbers may overflow it."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def _owner(batch: Batch, row: int) -> int:
    """The image that owns a row of the ragged arrays."""
    return int(np.searchsorted(np.cumsum(batch.counts), row, side="right"))
