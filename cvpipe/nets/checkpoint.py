"""An unfinished training as arrays and a note, and back: the same to the last bit."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Pace:
    """When to save next: not too soon, and not for too large a share of the time."""

    def __init__(self) -> None:
        self._saved_at, self._took = time.monotonic(), 0.0

    def due(self, every: float, share: float) -> bool:
        """Whether `every` seconds have gone by, and saving would take no more than this share of them."""
        return time.monotonic() - self._saved_at >= max(every, self._took / share)

    @contextlib.contextmanager
    def saving(self) -> Iterator[None]:
        """Around a save."""
        began = time.monotonic()
        yield
        self._saved_at = time.monotonic()
        self._took = self._saved_at - began


def arrays_of(tensors: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """Tensors by name as arrays on the CPU, in C order."""
    return {name: np.array(t.detach().cpu().numpy(), order="C") for name, t in tensors.items()}


def put(tensors: Mapping[str, Tensor], arrays: Mapping[str, np.ndarray]) -> None:
    """Overwrite tensors with arrays of the same names. Raises `KeyError` or `RuntimeError` where they do not fit."""
    with torch.no_grad():
        for name, tensor in tensors.items():
            array = np.array(arrays[name])
            array = (
                array.reshape(()) if array.size == 1 and not tensor.ndim else array
            )  # files keep no bare numbers
            if array.shape != tuple(tensor.shape):
                raise RuntimeError(f"'{name}' has shape {array.shape}, not {tuple(tensor.shape)}")
            tensor.copy_(torch.from_numpy(array))


def fits(tensors: Mapping[str, Tensor], arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether every tensor has an array of its name and shape."""
    return all(
        name in arrays and (arrays[name].shape == tuple(t.shape) or arrays[name].size == t.numel() == 1)
        for name, t in tensors.items()
    )


def with_prefix(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`weights` and `fc.bias` become `weights/fc.bias`."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `with_prefix` put together."""
    head = f"{prefix}/"
    return {name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)}


def optimiser_arrays(optimiser: torch.optim.Optimizer) -> dict[str, np.ndarray]:
    """Momenta, squares and counts of steps: `3/exp_avg` belongs to the fourth parameter."""
    kept = optimiser.state_dict()["state"]
    return arrays_of({f"{i}/{key}": value for i, state in kept.items() for key, value in state.items()
                      if isinstance(value, Tensor)})  # fmt: skip


def put_optimiser(optimiser: torch.optim.Optimizer, arrays: Mapping[str, np.ndarray]) -> None:
    """Set what `optimiser_arrays` gave, laid out in memory as the parameters are: fused steps rely on it."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, array in arrays.items():
        index, _, key = name.partition("/")
        value = torch.from_numpy(np.array(array))
        like = parameters[int(index)]
        if value.shape == like.shape:
            value = torch.empty_like(like).copy_(value).detach()
        state.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
