"""How weights begin: the schemes that the textbooks compare."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import nn

from cvpipe.nets.layers import Subsample

Scheme = Literal["zeros", "normal", "lecun", "xavier", "he", "orthogonal"]

SCALES = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm, Subsample)
"""Layers with a factor for each map."""
NORMAL_STD = 0.01
"""Krizhevsky, Sutskever & Hinton 2012, section 5."""


@torch.no_grad()
def initialise(module: nn.Module, scheme: Scheme, generator: torch.Generator | None = None) -> None:
    """Draw every weight of a network anew, in place; biases become 0, scales of normalisations 1.

    `zeros`: all 0, so all units of a layer stay equal. `normal`: N(0, 0.01^2). `lecun`: N(0, 1 / inputs). `xavier`:
    uniform within +-sqrt(6 / (inputs + outputs)). `he`: N(0, 2 / inputs). `orthogonal`: rows or columns of length 1, at
    right angles.

    Source: LeCun et al., "Efficient BackProp", 1998, equation 16; Glorot & Bengio, AISTATS 2010, equation 16; He et
    al., ICCV 2015, equation 10; Saxe, McClelland & Ganguli, ICLR 2014.
    """
    for part in module.modules():
        for name, weight in part.named_parameters(recurse=False):
            if weight.ndim >= 2:
                _draw(weight, _fans(part, weight), scheme, generator)
            elif "bias" in name:
                weight.zero_()
            elif isinstance(part, SCALES):
                weight.fill_(1)


def _fans(part: nn.Module, weight: torch.Tensor) -> tuple[float, float]:
    """Over how many inputs a unit sums, and how many units an input reaches; a layer of our own tells by `fans`."""
    own: Any = getattr(part, "fans", None)
    if own is not None:
        return own()
    # A convolution's weight is (outputs, inputs / groups, height, width): a unit sums over all but the first.
    field = math.prod(weight.shape[2:])
    return weight.shape[1] * field, weight.shape[0] * field


def _draw(
    weight: torch.Tensor, fans: tuple[float, float], scheme: Scheme, generator: torch.Generator | None
) -> None:
    inputs, outputs = fans
    if scheme == "zeros":
        weight.zero_()
    elif scheme == "xavier":
        limit = math.sqrt(6 / (inputs + outputs))
        weight.uniform_(-limit, limit, generator=generator)
    elif scheme == "orthogonal":
        nn.init.orthogonal_(weight, generator=generator)
    else:
        std = {"normal": NORMAL_STD, "lecun": math.sqrt(1 / inputs), "he": math.sqrt(2 / inputs)}[scheme]
        weight.normal_(0, std, generator=generator)
