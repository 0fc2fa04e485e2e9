"""Training images for a network: as bytes where they fit in memory, decoded ahead of their turn where they do not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

Rows = np.ndarray
AHEAD = 3
"""Batches that are decoded before their turn."""


class Pixels(Protocol):
    """Images by row."""

    def __len__(self) -> int: ...

    def batches(self, order: Sequence[Rows]) -> Iterator[Tensor]:
        """(m, H, W, C) uint8 on the device for each array of rows, in order."""
        ...


class HeldPixels:
    """All images on the device, (n, H, W, C) uint8: a batch is one gather (0.1 ms for 128 digits). Features, (n, D)
    float32, may stand in their place."""

    def __init__(self, values: np.ndarray, device: str = "cpu") -> None:
        self.values = torch.from_numpy(values).to(device)

    def __len__(self) -> int:
        return len(self.values)

    def batches(self, order: Sequence[Rows]) -> Iterator[Tensor]:
        """See `Pixels`."""
        for rows in order:
            yield self.values[torch.from_numpy(rows).to(self.values.device)]


class StreamedPixels:
    """Images that are decoded by `decode`, rows -> (m, H, W, C) uint8, by threads, a few batches ahead."""

    def __init__(
        self, count: int, decode: Callable[[Rows], np.ndarray], threads: int, device: str = "cpu"
    ) -> None:
        self._count, self._decode, self._threads, self._device = count, decode, threads, device

    def __len__(self) -> int:
        return self._count

    def batches(self, order: Sequence[Rows]) -> Iterator[Tensor]:
        """See `Pixels`."""
        waiting: deque[Future[np.ndarray]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            try:
                for rows in order:
                    waiting.append(pool.submit(self._decode, rows))
                    if len(waiting) > AHEAD:
                        yield self._ready(waiting.popleft())
                while waiting:
                    yield self._ready(waiting.popleft())
            finally:
                pool.shutdown(cancel_futures=True)

    def _ready(self, future: Future[np.ndarray]) -> Tensor:
        return torch.from_numpy(future.result()).to(self._device)


def scaled(pixels: Tensor, channels_last: bool = True) -> Tensor:
    """(m, H, W, C) uint8 -> (m, C, H, W) float32 in [0, 1]."""
    values = pixels.permute(0, 3, 1, 2).to(torch.float32).div_(255)
    return values if channels_last else values.contiguous()


def spread(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, (C,) float32 in [0, 1], over (m, H, W, C) uint8; never below 1/255.

    Summed as whole numbers, from counts of the 256 values, so that the order of the images does not matter.
    """
    counts = torch.stack([torch.bincount(c.reshape(-1).long(), minlength=256) for c in pixels.unbind(-1)])
    levels = torch.arange(256, dtype=torch.float64, device=pixels.device) / 255
    share = counts.double() / counts.double().sum(dim=1, keepdim=True)
    mean = share @ levels
    deviation = (share @ levels**2 - mean**2).clamp(min=0).sqrt()
    return mean.float(), deviation.clamp(min=1 / 255).float()
