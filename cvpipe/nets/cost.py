"""What a network costs for one image: multiply-adds."""

from __future__ import annotations

from math import prod

from torch import nn

from cvpipe.nets.capsnet import ClassCapsules
from cvpipe.nets.layers import TableConv
from cvpipe.nets.lstm_rows import LastState
from cvpipe.nets.taps import Dry


def multiply_adds(dry: Dry) -> int:
    """Of convolutions, dense, recurrent and capsule layers in evaluation mode.

    Biases, normalisations, poolings, activations and the routing of capsules are not counted, as is usual.
    """
    return sum(
        _of(module, dry, name) * dry.passes[name]
        for name, module in dry.net.named_modules()
        if name in dry.passes
    )


def _of(module: nn.Module, dry: Dry, name: str) -> int:
    if isinstance(module, nn.Conv2d | TableConv):
        return module.weight.numel() * prod(dry.shapes[name][1:])
    if isinstance(module, LastState):  # once for each row
        weights = [weight for weight in module.cell.parameters() if weight.ndim == 2]
        return sum(weight.numel() for weight in weights) * dry.size[0]
    return module.weight.numel() if isinstance(module, nn.Linear | ClassCapsules) else 0
