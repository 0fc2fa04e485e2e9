"""One way to build every network: a word, the number of classes, the channels and the size of the images."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cvpipe.errors import RunError, SpecError
from cvpipe.nets import timm_nets
from cvpipe.nets.own import build_own, is_own
from cvpipe.nets.table import NETS, net_problem

if TYPE_CHECKING:
    from torch.nn import Module

    # Imported when they are asked for. Named here, their sources are part of the keys of results.
    from cvpipe.nets import (  # noqa: F401
        alexnet,
        capsnet,
        densenet,
        efficientnet_lite,
        fcn,
        googlenet,
        lenet,
        lstm_rows,
        mlp,
        resnet,
        simple_cnn,
        squeezenet,
        vgg,
    )

SMALL = 100
"""Sides below this are those of digits, 28 or 32 px; ImageNet's are 224 px."""


def build(net: str, *, classes: int, channels: int, size: tuple[int, int], **options: Any) -> Module:
    """A network with fresh random weights, in training mode.

    It takes (n, channels, height, width) float32 and gives (n, classes) float32 scores, larger is more likely. `size`
    is (height, width), px. A network with a loss of its own has a method `loss(scores, targets, images)`; what that
    needs besides the scores it keeps from its last forward pass. `package.Class` is a class of the user's, called
    with `classes`, `channels`, `size` and the options; `timm:NAME` is a network of the package timm.

    Raises `SpecError` for an unknown word or option and for a class that cannot be built, `RunError` for images that
    are too small for its pooling.
    """
    problem = net_problem(net, options)
    if problem:
        raise SpecError(problem)
    if net.startswith(timm_nets.PREFIX):
        return timm_nets.create(net, classes, channels, **options)
    if is_own(net):
        return build_own(net, classes, channels, size, options)
    problem = size_problem(net, size, options)
    if problem:
        raise RunError(problem)
    return _maker(net)(classes, channels, size, **{**NETS[net].defaults, **options})


def size_problem(net: str, size: tuple[int, int], options: Mapping[str, Any]) -> str:
    """Why images of (height, width), px, are too small for a network; empty if they are not."""
    smallest = smallest_size(net, **options)
    if min(size) >= smallest:
        return ""
    return (
        f"network '{net}' takes images of at least {smallest} x {smallest} px, got {size[1]} x {size[0]} px"
    )


def smallest_size(net: str, **options: Any) -> int:
    """The smallest side of an image that a network takes, px."""
    if net == "simple_cnn":  # each convolution is followed by a pooling that halves
        return 2 ** len(options.get("widths", NETS[net].defaults["widths"]))
    if net == "alexnet" and options.get("stem") == "standard":
        return 63  # 11x11 with stride 4, and three poolings of 3x3 with stride 2
    return NETS[net].smallest if net in NETS else 1


def side_of(net: str) -> int:
    """The side of the images that a network was made for, px."""
    if net.startswith(timm_nets.PREFIX):
        return timm_nets.look(net)[2]
    return NETS[net].side if net in NETS else 224


def usual_task(net: str) -> tuple[int, int, int]:
    """Classes, channels and side, px, for which a network's layers and costs are told: ten grey digits if it was made
    for images below `SMALL`, else ImageNet's."""
    side = side_of(net)
    return (10, 1, side) if side < SMALL else (1000, 3, side)


def _maker(net: str) -> Callable[..., Module]:
    family, _, function = NETS[net].maker.partition(".")
    return getattr(importlib.import_module(f"cvpipe.nets.{family}"), function)
