"""Labels as arrays: text or numbers, one for each image, none missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from cvpipe.errors import DataError
from cvpipe.wording import shown


def as_labels(values: Any, what: str) -> np.ndarray:
    """(n,) text, numbers or truth values; a list, a column of a table and an array of objects become such an array.

    `what` is what messages call them. Raises `DataError` for anything else, and names the first that is missing.
    """
    if values is None or isinstance(values, str | bytes):
        raise DataError(f"{what} are a list with one for each image, got {shown(values)}")
    rows = np.asarray(values)
    if rows.ndim != 1:
        raise DataError(f"{what} are a list with one for each image, got an array of shape {rows.shape}")
    if rows.dtype.kind == "O":
        rows = _of_objects(rows, what)
    if rows.dtype.kind == "f" and not np.isfinite(rows).all():
        row = int(np.isfinite(rows).argmin())
        raise DataError(f"{what}[{row}] is {rows[row]}: each image has to have one")
    if rows.dtype.kind not in "biufU":
        raise DataError(f"{what} are text or numbers, got {shown(rows[0])}, of type {rows.dtype}")
    return rows


def _of_objects(rows: np.ndarray, what: str) -> np.ndarray:
    """The same values as an array of one type."""
    kinds = {str} if any(isinstance(value, str) for value in rows) else {bool, int, float}
    for place, value in enumerate(rows):
        plain = value.item() if isinstance(value, np.generic) else value
        if type(plain) not in kinds and not (str in kinds and isinstance(plain, str)):
            beside = ", while others are text" if str in kinds else ""
            raise DataError(f"{what}[{place}] is {shown(value)}{beside}: each is text, or each is a number")
    return np.array(rows.tolist())
