"""A network with weights from elsewhere: its options, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Interval

from cvpipe.errors import did_you_mean, listed
from cvpipe.options import Count, PathOrWord
from cvpipe.stages.networks._frame import Frame
from cvpipe.stages.networks._named import NamedNet

if TYPE_CHECKING:
    from torch import nn

    from cvpipe.nets.learning import Look


class Pretrained(NamedNet):
    """A network that learned elsewhere, and which of its layers go on learning."""

    net: str = "efficientnet_lite0"  # a network with a dense last layer
    weights: PathOrWord = "lite0"  # lite0, NETWORK.RECIPE of torchvision, or a file with a state dict
    # top-level layers from which on the network learns, one step after the other, such as [head, block12]; null is one
    # step, the upper third of the layers
    unfreeze: tuple[str, ...] | None = None
    # side of the square that images are resized to, px; null is that of the network's paper
    size: Count | None = None
    head_epochs: Count = 30  # passes over the features for the new last layer
    # factor on the learning rate from one layer to the one below; 1 / 2.6 in Howard & Ruder 2018
    rate_fall: Annotated[float, Interval(gt=0, le=1)] = 0.8

    def conflicts(self) -> list[str]:
        """A network, weights or layers that do not exist; images that are too small. Imports torch only if layers
        are named."""
        from cvpipe.nets.build import size_problem
        from cvpipe.nets.table import net_problem
        from cvpipe.nets.weights import weights_problem

        wrong = net_problem(self.net) or _no_head(self.net) or weights_problem(self.net, self.weights)
        wrong = wrong or size_problem(self.net, (self.square().height, self.square().width), {})
        return [wrong] if wrong else self._unknown_layers()

    def reads(self) -> list[Path]:
        """The file with the weights, if that is where they are."""
        from cvpipe.nets.weights import is_file

        return [Path(self.weights)] if is_file(self.weights) else []

    def square(self) -> Frame:
        """What the network sees."""
        from cvpipe.nets.table import NETS

        side = self.size or (NETS[self.net].side if self.net in NETS else 224)
        return Frame(side, side, 3)

    def scaling(self) -> Look:
        """The scaling of pixels that the weights were trained with."""
        from cvpipe.nets.learning import Look
        from cvpipe.nets.weights import scaling_of

        found = scaling_of(self.weights)
        mean, deviation = (
            np.broadcast_to(np.array(values, np.float32) / 255, 3) for values in (found.mean, found.deviation)
        )
        return Look.of(mean, deviation)

    def with_weights(self, classes: int, seed: int) -> nn.Module:
        """The network with its weights, and a new last layer for so many classes. Raises `DataError`."""
        from cvpipe.nets.heads import classes_in, take_over
        from cvpipe.nets.weights import load

        module = self.random(classes, seed)
        source = self.random(classes_in(module, self.weights), 0)
        load(source, self.net, self.weights)
        take_over(module, source)
        return module

    def random(self, classes: int, seed: int) -> nn.Module:
        """The network with random weights."""
        import torch

        from cvpipe.nets.build import build

        frame = self.square()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build(self.net, classes=classes, channels=3, size=(frame.height, frame.width))

    def steps(self, module: nn.Module) -> tuple[str, ...]:
        """The layers from which on the network learns, step by step."""
        from cvpipe.nets.heads import layers_with_weights

        layers = layers_with_weights(module)
        return self.unfreeze or (layers[-max(len(layers) // 3, 1)],)

    def _unknown_layers(self) -> list[str]:
        if not self.unfreeze:
            return []
        from cvpipe.nets.heads import layers_with_weights

        layers = layers_with_weights(self.random(2, 0))
        return [
            f"unfreeze: network '{self.net}' has no layer '{name}'"
            + (did_you_mean(name, layers) or f"; it has {listed(layers, 'and')}")
            for name in self.unfreeze
            if name not in layers
        ]


def _no_head(net: str) -> str:
    """Why a network can get no new last layer; empty if it can, as far as is known."""
    from cvpipe.nets.table import NETS

    if net not in NETS or NETS[net].dense_head:
        return ""
    others = listed([name for name in NETS if NETS[name].dense_head], "and")
    return f"network '{net}' has no dense layer that gives its scores, and so none to replace; others have: {others}"
