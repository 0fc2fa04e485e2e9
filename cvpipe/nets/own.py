"""Networks of the user's, `package.module.Class`: whether their code may run, where it is, and what they must give."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cvpipe.errors import RunError, SpecError
from cvpipe.nets.timm_nets import PREFIX

if TYPE_CHECKING:
    from torch.nn import Module

TRUST = "CVPIPE_TRUST"
"""The environment variable with the packages (after commas) whose classes may be built: building runs their code."""


def is_own(net: str) -> bool:
    """Whether a word for a network is a class of the user's."""
    return "." in net and not net.startswith(PREFIX)


def own_problem(net: str) -> str:
    """Why the class at `package.module.Class` cannot be built; empty if nothing is known to be wrong. Imports no more
    than the packages around it, and these only if they are trusted."""
    module = net.rpartition(".")[0]
    package = module.split(".")[0]
    if package not in _trusted():
        return f"network '{net}' runs code of '{package}': allow it with {TRUST}={package}"
    try:
        found = importlib.util.find_spec(module)
    except Exception as error:  # whatever the packages around it raise
        return f"network '{net}' cannot be imported: {type(error).__name__}: {error}"
    if found is None:
        where = "PYTHONPATH=. finds a file in the working folder"
        return f"network '{net}' cannot be imported: there is no module '{module}'; {where}"
    return ""


def module_of(net: str) -> list[str]:
    """The module with a class of the user's, whose source decides what it gives; none for a network of cvpipe, and for
    a class that may not be built."""
    if not is_own(net) or net.partition(".")[0] not in _trusted():
        return []
    return [net.rpartition(".")[0]]


def build_own(
    net: str, classes: int, channels: int, size: tuple[int, int], options: Mapping[str, Any]
) -> Module:
    """The user's network. Raises `SpecError` where it cannot be imported or called."""
    import torch

    make = _user_class(net)
    try:
        module = make(classes=classes, channels=channels, size=size, **options)
    except Exception as error:  # whatever the code of a stranger raises
        called = f"it is called with {', '.join(['classes', 'channels', 'size', *options])}"
        raise SpecError(
            f"network '{net}' cannot be built: {type(error).__name__}: {error}; {called}"
        ) from error
    if not isinstance(module, torch.nn.Module):
        raise SpecError(f"network '{net}' makes no torch.nn.Module: its type is {type(module).__name__}")
    return module


def check_output(net: str, module: Module, classes: int, channels: int, size: tuple[int, int]) -> None:
    """Raise `RunError` unless a network of the user's, before it is trained, gives (2, classes) for two images.

    It stays as it is, and so do the draws that come after. Networks of cvpipe and of timm are known to be right.
    """
    import torch

    if not is_own(net):
        return
    shape = (2, channels, *size)
    was = module.training
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            given: Any = module.eval()(torch.zeros(shape))
    except Exception as error:  # whatever the code of a stranger raises
        said = f"{type(error).__name__}: {error}"
        raise RunError(f"network '{net}' fails on two images, {_text(shape)}: {said}") from error
    finally:
        module.train(was)
    if not isinstance(given, torch.Tensor) or given.shape != (2, classes):
        got = _text(given.shape) if isinstance(given, torch.Tensor) else f"a {type(given).__name__}"
        raise RunError(f"network '{net}' must give a score for each image and class, {_text((2, classes))} for two "
                       f"images and {classes} classes, but gives {got}")  # fmt: skip


def _text(shape: Any) -> str:
    return f"({', '.join(map(str, shape))})"


def _trusted() -> list[str]:
    return [word.strip() for word in os.environ.get(TRUST, "").split(",")]


def _user_class(net: str) -> Callable[..., Any]:
    module, _, name = net.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except Exception as error:  # whatever the code of a stranger raises
        raise SpecError(f"network '{net}' cannot be imported: {type(error).__name__}: {error}") from error
