"""Images with their classes, and how well a network knows them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets.learning import Answer, Learning
from cvpipe.nets.pixels import Pixels

BATCH = 512
"""Images that are looked at before the next are fetched."""


@dataclass(frozen=True)
class Examples:
    """Images and the number of each one's class, (n,) int64."""

    pixels: Pixels
    targets: np.ndarray

    def targets_of(self, rows: np.ndarray, device: str) -> Tensor:
        """The numbers of the classes of some images."""
        return torch.from_numpy(self.targets[rows]).to(device)


def judged(learning: Learning, examples: Examples, device: str) -> Answer:
    """Mean loss and share of right answers, with the network in the mode that it is in."""
    rows = np.arange(len(examples.targets))
    order = np.array_split(rows, math.ceil(len(rows) / BATCH))
    loss, correct = 0.0, 0.0
    for chosen, pixels in zip(order, examples.pixels.batches(order), strict=True):
        answer = learning.answers(pixels, examples.targets_of(chosen, device))
        loss, correct = loss + answer.loss * len(chosen), correct + answer.correct
    return Answer(loss / len(rows), correct / len(rows))
