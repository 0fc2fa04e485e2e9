"""Networks of the package timm, where it is installed: `timm:NAME`."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from cvpipe.errors import RunError, SpecError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

PREFIX = "timm:"


def timm_problem(net: str) -> str:
    """What is missing for a network of timm; empty if nothing is."""
    if importlib.util.find_spec("timm") is None:
        return f"network '{net}' comes from a package that is not installed: pip install 'timm>=1.0'"
    return ""


def create(net: str, classes: int, channels: int, **options: Any) -> Module:
    """The network with random weights. Raises `SpecError` for a name that timm does not know."""
    import timm

    name = net.removeprefix(PREFIX)
    if not timm.is_model(name.partition(".")[0]):
        near = did_you_mean(name, timm.list_models())
        raise SpecError(f"timm has no network '{name}'{near}")
    return timm.create_model(name, pretrained=False, num_classes=classes, in_chans=channels, **options)


def pretrained(net: str) -> dict[str, Tensor]:
    """The tensors of its trained weights. Raises `RunError` if they cannot be fetched."""
    import timm

    name = net.removeprefix(PREFIX)
    try:
        return timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:  # no network, no such recipe: each of its hubs raises its own
        said = " ".join(str(error).split())
        raise RunError(f"timm cannot fetch the weights of '{name}': {said}") from error


def look(net: str) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Mean and deviation of each channel, of 1, and the side of the images, px, that its weights were trained with."""
    import timm

    told = timm.get_pretrained_cfg(net.removeprefix(PREFIX))
    return tuple(told.mean), tuple(told.std), int(told.input_size[-1])
