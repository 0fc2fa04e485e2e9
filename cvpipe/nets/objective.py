"""What a network is trained to make small."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from cvpipe.errors import RunError
from cvpipe.nets.mixing import Mixed


def objective(module: nn.Module, outputs: Tensor, batch: Mixed, smoothing: float) -> Tensor:
    """The mean loss over a batch: the network's own `loss(outputs, targets, images)` if it has one, else the cross
    entropy with label smoothing (Szegedy et al., CVPR 2016, section 7). Images are in [0, 1]. Mixed images count for
    both of their labels."""
    own: Any = getattr(module, "loss", None)
    smoothed = {"label_smoothing": smoothing} if smoothing else {}
    if own is not None and smoothing and "label_smoothing" not in inspect.signature(own).parameters:
        raise RunError("the network has a loss of its own, which takes no label_smoothing: leave it at 0")

    def one(targets: Tensor) -> Tensor:
        if own is not None:
            return own(outputs, targets, batch.images, **smoothed)
        return functional.cross_entropy(outputs.float(), targets, label_smoothing=smoothing)

    if batch.share == 1.0:
        return one(batch.first)
    return batch.share * one(batch.first) + (1 - batch.share) * one(batch.second)
