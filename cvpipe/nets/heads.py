"""A network without its last layer, with a new one, and with only its upper layers in training."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from cvpipe.errors import RunError
from cvpipe.nets.weights import CLASSES, is_file, read


def head_of(module: nn.Module) -> str:
    """The name of the dense layer that gives the scores: the last one. Raises `RunError` if there is none."""
    dense = [name for name, part in module.named_modules() if isinstance(part, nn.Linear)]
    if not dense:
        raise RunError("the network has no dense layer that gives scores, and so none to replace")
    return dense[-1]


def headless(module: nn.Module) -> nn.Module:
    """A copy that gives what its last layer would be given, (n, D)."""
    made = copy.deepcopy(module)
    made.set_submodule(head_of(made), nn.Identity())
    return made.eval()


def take_over(module: nn.Module, source: nn.Module) -> None:
    """Copy all weights of a network for other classes: none of the last layer, nor of what else is a score for each
    class, such as GoogLeNet's auxiliary heads."""
    head, own = head_of(module) + ".", module.state_dict()
    kept = {
        name: tensor
        for name, tensor in source.state_dict().items()
        if not name.startswith(head) and tensor.shape == own[name].shape
    }
    module.load_state_dict(kept, strict=False)


def layers_with_weights(module: nn.Module) -> list[str]:
    """The top-level layers that have weights, first to last."""
    return [name for name, part in module.named_children() if any(True for _ in part.parameters())]


def thaw(module: nn.Module, first: str) -> None:
    """Let the top-level layer `first` and all after it learn; the others keep their weights."""
    reached = False
    for name, part in module.named_children():
        reached = reached or name == first
        part.requires_grad_(reached)


def train_thawed(module: nn.Module) -> None:
    """Training mode for the layers that learn. Batch normalisation keeps the running means that came with the weights,
    in all layers: few images tell worse ones, and weights that fit a batch's own means do not fit these afterwards."""
    module.train()
    for part in module.children():
        learned = [p.requires_grad for p in part.parameters()]
        if learned and not any(learned):
            part.eval()
    for part in module.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()


def falling_rates(module: nn.Module, fall: float) -> Mapping[str, float]:
    """A factor on the rate of each parameter: 1 in the last top-level layer, `fall` times that in each one before
    (Howard & Ruder, "Universal language model fine-tuning for text classification", ACL 2018, section 3.2)."""
    order = layers_with_weights(module)[::-1]
    return {name: fall ** order.index(name.split(".")[0]) for name, _ in module.named_parameters()}


def classes_in(module: nn.Module, weights: str) -> int:
    """For how many classes weights are: those of ImageNet, or the rows that a file has for the last layer."""
    if not is_file(weights):
        return CLASSES
    name = head_of(module) + ".weight"
    tensors = read(Path(weights))
    return tensors[name].shape[0] if name in tensors else CLASSES
