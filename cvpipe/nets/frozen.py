"""Networks that are ready to give features: built, filled with weights, folded, and kept for the next chunk."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cvpipe.errors import did_you_mean, listed
from cvpipe.nets import weights as files
from cvpipe.nets.build import build
from cvpipe.nets.initialise import initialise
from cvpipe.nets.taps import Dry, Taps, fold
from cvpipe.nets.weight_files import read

_lock = threading.Lock()


@dataclass(frozen=True)
class Recipe:
    """What decides a frozen network."""

    net: str
    weights: str
    content: str
    """What identifies the weights' values, see `weights.content`."""
    layers: tuple[str, ...]
    """Empty for the layer before the scores."""
    channels: int
    side: int
    """Of the square images, px."""
    options: tuple[tuple[str, Any], ...]
    """Of the network."""
    seed: int
    """Of random weights."""


def frozen(recipe: Recipe, device: str = "cpu") -> Taps:
    """The network; the same object for the same recipe. Raises `DataError` for weights that do not fit."""
    with _lock:  # workers ask for it at the same moment
        return _frozen(recipe, device)


@lru_cache(maxsize=2)
def _frozen(recipe: Recipe, device: str) -> Taps:
    dry, layers = dry_run(recipe), layers_of(recipe)
    size, options = (recipe.side, recipe.side), dict(recipe.options)
    net = build(recipe.net, classes=classes_of(recipe), channels=recipe.channels, size=size, **options)
    if recipe.weights == "none":
        initialise(net, "he", torch.Generator().manual_seed(recipe.seed))
    else:
        files.load(net, recipe.net, recipe.weights)
    net.eval().requires_grad_(False)
    fold(net, [pair for pair in dry.folds if pair[0] not in layers])
    net = net.to(memory_format=torch.channels_last).to(device)  # type: ignore[call-overload]
    return Taps(net, layers, sum(dry.passes[name] for name in layers))


def dry_run(recipe: Recipe, classes: int = files.CLASSES) -> Dry:
    """A pass of the network without numbers."""
    return _dry(recipe.net, classes, recipe.channels, recipe.side, recipe.options)


@lru_cache(maxsize=16)
def _dry(net: str, classes: int, channels: int, side: int, options: tuple[tuple[str, Any], ...]) -> Dry:
    return Dry(net, classes, channels, (side, side), **dict(options))


def classes_of(recipe: Recipe) -> int:
    """For how many classes the weights are: 1,000, or what a file has for the network's last layer."""
    if not files.is_file(recipe.weights):
        return files.CLASSES
    two, three = (dry_run(recipe, classes).net.state_dict() for classes in (2, 3))
    tensors = read(Path(recipe.weights))
    last = [name for name in two if two[name].shape != three[name].shape]
    known = [tensors[name] for name in last if name in tensors and tensors[name].ndim]
    return int(known[-1].shape[0]) if known else files.CLASSES


def layers_of(recipe: Recipe) -> tuple[str, ...]:
    """The wanted layers; where none are named, the last whose width does not depend on the number of classes."""
    if recipe.layers:
        return recipe.layers
    two, three = (dry_run(recipe, classes) for classes in (2, 3))
    same = [name for name, shape in two.shapes.items() if three.shapes[name] == shape]
    return tuple(name for name in same if not isinstance(two.net.get_submodule(name), nn.Dropout))[-1:]


def layer_problems(recipe: Recipe) -> list[str]:
    """A line for each wanted layer that the network does not have."""
    names = list(dry_run(recipe).shapes)
    return [
        f"network '{recipe.net}' has no layer '{layer}'{did_you_mean(layer, names)}; "
        f"its last ones are {listed(names[-4:], 'and')}"
        for layer in recipe.layers
        if layer not in names
    ]
