"""Files of weights: the tensors in them, read without executing anything, and whether they fit a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

OWN = "weights_"
"""Stands before the names of tensors in what cvpipe saves of a network that it trained."""


def read(path: Path) -> dict[str, Tensor]:
    """The tensors in a file by name. Nothing in it is executed. Raises `DataError`."""
    import warnings

    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return _own(load_file(path))
        with warnings.catch_warnings(action="ignore"):  # about files that are refused below
            held = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"cannot read the weights: {error.strerror}", where=str(path)) from error
    except Exception as error:  # bytes that are no weights make readers fail in any way
        said = "the weights are damaged, or this is no file of weights"
        if type(error).__name__ == "UnpicklingError":
            said = "this is no file of weights, or one that holds code besides tensors; only tensors are read"
        raise DataError(said, where=str(path)) from error
    tensors = _tensors(held)
    if not tensors:
        raise DataError("this file holds no state dict (tensors by name)", where=str(path))
    return tensors


def _own(arrays: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights among what cvpipe saves of a network that it trained."""
    weights = {name.removeprefix(OWN): tensor for name, tensor in arrays.items() if name.startswith(OWN)}
    return weights or arrays


def look_of(path: Path) -> tuple[np.ndarray, np.ndarray, int] | None:
    """Of a network that cvpipe trained: mean and deviation of each channel, of 1, and the side of its images, px."""
    from safetensors import safe_open

    if path.suffix != ".safetensors":
        return None
    try:
        with safe_open(path, "numpy") as file:
            if not {"mean_", "deviation_", "frame_"} <= set(file.keys()):
                return None
            mean, deviation, frame = (file.get_tensor(name) for name in ("mean_", "deviation_", "frame_"))
    except Exception:  # a damaged file: `read` tells
        return None
    return mean, deviation, int(frame[0])


def _tensors(held: Any) -> dict[str, Tensor]:
    """The state dict in what was read: itself, or under a usual name; without the prefix of parallel training."""
    import torch

    for name in ("state_dict", "model_state_dict", "model"):
        if isinstance(held, Mapping) and isinstance(held.get(name), Mapping):
            held = held[name]
    if not isinstance(held, Mapping) or not all(isinstance(v, torch.Tensor) for v in held.values()):
        return {}
    return {name.removeprefix("module."): tensor for name, tensor in held.items()}


def misfit(module: Module, tensors: Mapping[str, Tensor]) -> str:
    """Why tensors do not fit a network; empty if they do."""
    own = module.state_dict()
    counters = {name for name in own if name.endswith("num_batches_tracked")}  # older files lack them
    missing = [name for name in own if name not in tensors and name not in counters]
    foreign = [name for name in tensors if name not in own]
    if missing or foreign:
        lacks = f"{len(missing)} of its {len(own)} tensors are missing" + (
            f" ('{missing[0]}')" if missing else ""
        )
        more = f"{len(foreign)} are not its own ('{foreign[0]}')" if foreign else ""
        return "; ".join(filter(None, [lacks if missing else "", more]))
    wrong = [name for name in own if name in tensors and own[name].shape != tensors[name].shape]
    if not wrong:
        return ""
    first = wrong[0]
    has, needs = (" x ".join(map(str, t[first].shape)) for t in (tensors, own))
    classes = [name for name in wrong if own[name].shape[1:] == tensors[name].shape[1:]]
    if classes == wrong:
        return f"they are for {tensors[first].shape[0]} classes, the network has {own[first].shape[0]}"
    return f"'{first}' is {has}, the network needs {needs}"
