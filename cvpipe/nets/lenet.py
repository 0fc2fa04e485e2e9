"""LeNet-1 and LeNet-5, the networks that read cheques."""

from __future__ import annotations

from torch import nn

from cvpipe.nets.layers import Subsample, TableConv
from cvpipe.nets.layers import activation as unit

LENET1_TABLE = (
    (0,), (0, 1), (0, 1), (1,), (0, 1), (0, 1),
    (2,), (2, 3), (2, 3), (3,), (2, 3), (2, 3),
)  # fmt: skip
"""The maps that each of the 12 maps of layer H3 sees. LeCun et al. 1990, table 1."""

LENET5_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""The maps that each of the 16 maps of layer C3 sees. LeCun et al. 1998, table I."""


def lenet1(
    classes: int, channels: int, size: tuple[int, int], activation: str, pooling: str, partial: bool
) -> nn.Module:
    """4 and 12 maps of 5x5 convolutions, each halved: 2,578 parameters for ten digits of 28x28.

    Source: LeCun et al., "Handwritten digit recognition with a back-propagation network", NIPS 1989.
    """
    net = nn.Sequential()
    _stage(net, 1, nn.Conv2d(channels, 4, 5), 4, activation, pooling)
    _stage(net, 2, _second(4, LENET1_TABLE, partial), 12, activation, pooling)
    height, width = ((side - 4) // 2 - 4 for side in size)
    net.add_module("flatten", nn.Flatten())
    net.add_module("out", nn.Linear(12 * (height // 2) * (width // 2), classes))
    return net


def lenet5(
    classes: int, channels: int, size: tuple[int, int], activation: str, pooling: str, partial: bool
) -> nn.Module:
    """6 and 16 maps of 5x5 convolutions, each halved, then 120 and 84 units: 60,000 parameters, and 850 to ten classes.

    The paper's images are digits of 28x28 with 2 px of margin: smaller sides than 32 get that margin here. Its last
    layer compares the 84 units with drawn letters (fixed radial basis functions); here it is a dense layer, as
    there are no letters for other classes.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 1998, section II.B.
    """
    margin = 2 if min(size) < 32 else 0
    net = nn.Sequential()
    _stage(net, 1, nn.Conv2d(channels, 6, 5, padding=margin), 6, activation, pooling)
    _stage(net, 2, _second(6, LENET5_TABLE, partial), 16, activation, pooling)
    height, width = (((side + 2 * margin - 4) // 2 - 4) // 2 for side in size)
    net.add_module("flatten", nn.Flatten())
    for number, (inputs, outputs) in enumerate([(16 * height * width, 120), (120, 84)], 1):
        net.add_module(f"dense{number}", nn.Linear(inputs, outputs))
        net.add_module(f"act_dense{number}", unit(_word(activation)))
    net.add_module("out", nn.Linear(84, classes))
    return net


def _second(inputs: int, table: tuple[tuple[int, ...], ...], partial: bool) -> nn.Module:
    return TableConv(inputs, table, 5) if partial else nn.Conv2d(inputs, len(table), 5)


def _stage(net: nn.Sequential, number: int, conv: nn.Module, maps: int, act: str, pooling: str) -> None:
    """A convolution and its pooling, each with its squashing; the largest of squashed values is one already."""
    net.add_module(f"conv{number}", conv)
    net.add_module(f"act{number}", unit(_word(act)))
    net.add_module(f"pool{number}", {"subsample": Subsample, "average": _average, "max": _max}[pooling](maps))
    if pooling != "max":
        net.add_module(f"act_pool{number}", unit(_word(act)))


def _word(activation: str) -> str:
    return "scaled_tanh" if activation == "tanh" else activation


def _average(maps: int) -> nn.Module:
    return nn.AvgPool2d(2)


def _max(maps: int) -> nn.Module:
    return nn.MaxPool2d(2)
