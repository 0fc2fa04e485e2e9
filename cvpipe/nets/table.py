"""The words for networks, with their options and the smallest image that each takes.

Imports no torch, so that a spec is checked and networks are listed at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cvpipe.errors import did_you_mean, listed
from cvpipe.nets.own import is_own, own_problem
from cvpipe.nets.timm_nets import PREFIX, timm_problem


@dataclass(frozen=True)
class Net:
    """One network that can be built."""

    maker: str
    """`file.function` below `cvpipe.nets`; the function takes classes, channels, size and the options."""
    text: str
    """What it is, and the paper that it comes from."""
    smallest: int = 1
    """The smallest side of an image that it takes with its default options, px."""
    side: int = 224
    """The side of the images in its paper, px."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options by name: the default, whose type a value must have; or the words that are allowed, default first."""

    dense_head: bool = True
    """Whether its scores come from a dense layer, which another may replace: what `fine_tune` needs."""

    @property
    def defaults(self) -> dict[str, Any]:
        """The default of each option."""
        return {name: value[0] if _is_choice(value) else value for name, value in self.options.items()}


_UNITS = ("tanh", "relu", "sigmoid")
_STEMS = ("auto", "standard", "small")
_MLP = {"widths": (500, 300, 100), "activation": _UNITS, "dropout": 0.0, "batch_norm": False}
_SIMPLE = {
    "widths": (32, 64),  # channels of each convolution
    "kernel": 3,  # px, same padding
    "dense": (32,),  # units of each hidden dense layer
    "batch_norm": False,  # after each convolution
    "dropout": 0.0,  # share of units that is dropped before each dense layer
}
_LENET = {
    "activation": _UNITS,  # tanh is the paper's 1.7159 tanh(2 x / 3)
    "pooling": ("subsample", "average", "max"),  # subsample: the mean times a learned weight, plus a bias
    "partial": True,  # whether a map of the second convolution sees only some of the first, as in the paper
}
_DENSE = {"dense": (4096, 4096), "dropout": 0.5}  # units of the hidden dense layers; share of units dropped
_ALEXNET = {
    "norm": ("lrn", "batch", "none"),  # the paper's, batch normalisation of all convolutions, or none
    "groups": 2,  # of the second, fourth and fifth convolution
    "stem": _STEMS,  # the first convolution: 11x11 with stride 4, or 5x5 with stride 1; auto by the size
    **_DENSE,
}
_FCN = {
    # the trunk
    "vgg": tuple(f"vgg{depth}{norm}" for norm in ("", "_bn") for depth in (16, 11, 13, 19)),
    **_DENSE,  # as convolutions
}
_CAPSNET = {
    "maps": 256,  # channels of the first convolution
    "kinds": 32,  # of primary capsules, 8 units each
    "routing": 3,  # iterations
    "decoder": True,  # whether a decoder draws the image, which is part of the loss
}
_ROWS = {"cell": ("lstm", "gru", "rnn"), "hidden": 128, "depth": 1}

NETS: dict[str, Net] = {
    "mlp": Net("mlp.mlp", "Dense layers: 784-500-300-100-10 for MNIST", 1, 28, _MLP),
    "simple_cnn": Net(
        "simple_cnn.simple_cnn", "Convolutions with pooling, then dense layers", 4, 28, _SIMPLE
    ),
    "lenet1": Net("lenet.lenet1", "LeCun et al. 1990, 28x28", 16, 28, _LENET),
    "lenet5": Net("lenet.lenet5", "LeCun et al. 1998, 28x28 or 32x32", 12, 28, _LENET),
    "alexnet": Net("alexnet.alexnet", "Krizhevsky, Sutskever & Hinton 2012", 15, 224, _ALEXNET),
    "zfnet": Net("alexnet.zfnet", "Zeiler & Fergus 2014", 53, 224, _DENSE),
    "vgg11": Net("vgg.vgg11", "Simonyan & Zisserman 2015, A", 32, 224, _DENSE),
    "vgg13": Net("vgg.vgg13", "Simonyan & Zisserman 2015, B", 32, 224, _DENSE),
    "vgg16": Net("vgg.vgg16", "Simonyan & Zisserman 2015, D", 32, 224, _DENSE),
    "vgg19": Net("vgg.vgg19", "Simonyan & Zisserman 2015, E", 32, 224, _DENSE),
    "vgg11_bn": Net("vgg.vgg11_bn", "the same with batch normalisation", 32, 224, _DENSE),
    "vgg13_bn": Net("vgg.vgg13_bn", "the same with batch normalisation", 32, 224, _DENSE),
    "vgg16_bn": Net("vgg.vgg16_bn", "the same with batch normalisation", 32, 224, _DENSE),
    "vgg19_bn": Net("vgg.vgg19_bn", "the same with batch normalisation", 32, 224, _DENSE),
    "fcn32s": Net("fcn.fcn32s", "Long, Shelhamer & Darrell 2015", 32, 224, _FCN, False),
    "fcn16s": Net("fcn.fcn16s", "the same with a skip from the fourth pooling", 32, 224, _FCN, False),
    "fcn8s": Net("fcn.fcn8s", "the same with skips from the third and fourth pooling", 32, 224, _FCN, False),
    "googlenet": Net("googlenet.googlenet", "Szegedy et al. 2015", 15, 224, {"auxiliary": True}),
    "densenet121": Net("densenet.densenet121", "Huang et al. 2017", 29),
    "squeezenet": Net("squeezenet.squeezenet", "Iandola et al. 2016, version 1.0", 21, dense_head=False),
    "capsnet": Net("capsnet.capsnet", "Sabour, Frosst & Hinton 2017", 17, 28, _CAPSNET, False),
    "lstm_rows": Net("lstm_rows.lstm_rows", "A recurrent network over rows", 1, 28, _ROWS),
    "efficientnet_lite0": Net("efficientnet_lite.efficientnet_lite0", "Tan & Le 2019, Lite"),
    "resnet18": Net("resnet.resnet18", "He et al. 2016", 1, 224, {"stem": _STEMS}),
    "resnet34": Net("resnet.resnet34", "He et al. 2016", 1, 224, {"stem": _STEMS}),
    "resnet50": Net("resnet.resnet50", "He et al. 2016", 1, 224, {"stem": _STEMS}),
    "resnet101": Net("resnet.resnet101", "He et al. 2016", 1, 224, {"stem": _STEMS}),
    "resnet152": Net("resnet.resnet152", "He et al. 2016", 1, 224, {"stem": _STEMS}),
    "resnext50": Net("resnet.resnext50", "Xie et al. 2017, 32x4d", 1, 224, {"stem": _STEMS}),
}
"""Every network that is built here, by its word."""


def net_problem(net: str, options: Mapping[str, Any] | None = None) -> str:
    """What is wrong with the word for a network or with its options; empty if nothing is. Imports no torch.

    A word with a dot, `module.Class`, is a class of the user's, which has to be allowed and to be found, `timm:NAME`
    is a network of the package timm: their options are their own business.
    """
    if net.startswith(PREFIX):
        return timm_problem(net)
    if is_own(net):
        return own_problem(net)
    if net not in NETS:
        whole = [word for word in NETS if net in word]  # `lite0`, which is a word for weights
        part = f" (did you mean '{whole[0]}'?)" if len(whole) == 1 else ""
        near = did_you_mean(net, NETS) or part or f"; there are {listed(NETS, 'and')}"
        return f"unknown network '{net}'{near}"
    allowed = NETS[net].options
    for name, value in (options or {}).items():
        if name not in allowed:
            near = did_you_mean(name, allowed) or (
                f"; it has {listed(allowed, 'and')}" if allowed else ": it has no options"
            )
            return f"unknown option '{name}' of network '{net}'{near}"
        wrong = _wrong(value, allowed[name])
        if wrong:
            return f"option '{name}' of network '{net}' must be {wrong}, got {value!r}"
    return ""


def _is_choice(option: Any) -> bool:
    return isinstance(option, tuple) and bool(option) and isinstance(option[0], str)


def _wrong(value: Any, option: Any) -> str:
    """What a value should have been; empty if it is that."""
    if _is_choice(option):
        return "" if value in option else listed(option)
    if isinstance(option, tuple):
        whole = isinstance(value, list | tuple) and all(isinstance(v, int) and v > 0 for v in value)
        return "" if whole else "a list of whole numbers of at least 1"
    if isinstance(option, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(option, int):
        return "" if type(value) is int and value >= 1 else "a whole number of at least 1"
    return "" if isinstance(value, int | float) and 0 <= value < 1 else "a number in [0, 1)"
