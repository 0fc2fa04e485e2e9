"""What a learner learned, as arrays and a JSON note: the form in which it is cached and saved. No code, ever."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from cvpipe.errors import RunError

Packed = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays, and what a JSON note holds."""


def pack(state: Mapping[str, Any]) -> Packed:
    """Numeric arrays on one side, everything else (numbers, strings, lists, arrays of strings) in the note.

    Raises `RunError` for what is neither.
    """
    arrays = {
        name: np.asarray(value, order="C")
        for name, value in state.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    }
    note = {name: _plain(name, value) for name, value in state.items() if name not in arrays}
    return arrays, note


def unpack(arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> dict[str, Any]:
    """The state that `pack` was given."""
    return {**arrays, **{name: _unplain(value) for name, value in note.items()}}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 1 and all(isinstance(v, str) for v in value.tolist()):
        return {"strings": value.tolist()}
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, bool | int | float | str) or _is_plain_list(value):
        return value
    raise RunError(
        f"learned attribute '{name}' is a {type(value).__name__}, neither an array nor a plain value"
    )


def _is_plain_list(value: Any) -> bool:
    """Whether a list comes back from JSON as it was: no tuples, no objects in it."""
    try:
        return isinstance(value, list) and json.loads(json.dumps(value)) == value
    except TypeError:
        return False


def _unplain(value: Any) -> Any:
    return np.array(value["strings"], dtype=str) if isinstance(value, dict) else value
