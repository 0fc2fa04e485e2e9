"""What a trained network gives for images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from cvpipe.nets.learning import Look
from cvpipe.nets.pixels import scaled
from cvpipe.nets.threads import one_thread

BATCH = 64
"""Images that go through a network together."""


def outputs(
    module: nn.Module,
    look: Look,
    pixels: np.ndarray,
    work: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> np.ndarray:
    """(n, H, W, C) uint8 -> (n, …) float32 by one thread; other threads may do the same with the same network.

    `work` is what a network does instead of its usual, such as a method of it.
    """
    device = next(module.parameters()).device
    found = []
    with one_thread(), torch.inference_mode():
        for start in range(0, max(len(pixels), 1), BATCH):
            batch = torch.from_numpy(pixels[start : start + BATCH]).to(device)
            found.append(_of(work or module, look, batch))
    return np.concatenate(found)


def _of(work: Callable[[torch.Tensor], torch.Tensor], look: Look, batch: torch.Tensor) -> np.ndarray:
    if len(batch):
        return work(look.at(scaled(batch))).float().cpu().numpy()
    # Some layers refuse no images: the shape is that of the output for one.
    one = torch.zeros((1, *batch.shape[1:]), dtype=torch.uint8, device=batch.device)
    return work(look.at(scaled(one))).float().cpu().numpy()[:0]


def softmax(scores: np.ndarray) -> np.ndarray:
    """(n, k, …) scores -> (n, k, …) float32 probabilities, which sum to 1 over the classes."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True), dtype=np.float64)
    return (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
