"""What comes out of named layers of a network, several in one pass; and which layers there are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from cvpipe.nets.build import build


class _Enough(Exception):
    """The last wanted output is there: the rest of the network need not be computed."""


class Taps:
    """A network in evaluation mode that gives the outputs of some of its layers.

    It stops behind the last of them. Threads may share it. A layer that is used more than once gives its last output.
    """

    def __init__(self, net: nn.Module, layers: Sequence[str], passes: int) -> None:
        """`passes` is how often outputs of these layers come by in one pass of the network, see `Dry`."""
        self.net, self.layers, self.passes = net, tuple(layers), passes
        self._local = threading.local()
        for name in layers:
            net.get_submodule(name).register_forward_hook(self._hook(name))

    def __call__(self, batch: Tensor, keep: Callable[[Tensor], Tensor]) -> list[Tensor]:
        """What `keep` makes of the output of each layer, at once: later layers may write over it."""
        taken = self._local.taken = {}
        self._local.keep, self._local.left = keep, self.passes
        with suppress(_Enough):
            self.net(batch)
        return [taken[name] for name in self.layers]

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            self._local.taken[name] = self._local.keep(output)
            self._local.left -= 1
            if not self._local.left:
                raise _Enough

        return hook


class Dry:
    """One pass without numbers: which layers there are, the shapes they give, which normalisation follows which."""

    def __init__(self, net: str, classes: int, channels: int, size: tuple[int, int], **options: Any) -> None:
        with torch.device("meta"):
            self.net = build(net, classes=classes, channels=channels, size=size, **options).eval()
        self.size = size
        self.parameters = sum(parameter.numel() for parameter in self.net.parameters())
        self.shapes: dict[str, tuple[int, ...]] = {}
        """The shape of what each layer gives for one image, in the order of computing; without lists and tuples."""
        self.passes: dict[str, int] = {}
        """How often each layer is used."""
        self.folds: list[tuple[str, str]] = []
        """(convolution, normalisation) where one is the only input of the other."""
        self._made: dict[int, tuple[str, Tensor]] = {}
        with self._watched(), torch.inference_mode():
            self.net(torch.empty(1, channels, *size, device="meta"))
        self.folds = [pair for pair in self.folds if all(self.passes[name] == 1 for name in pair)]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        handles = [
            module.register_forward_hook(self._hook(name))
            for name, module in self.net.named_modules()
            if name
        ]
        yield
        for handle in handles:
            handle.remove()

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                return
            self.passes[name] = self.passes.get(name, 0) + 1
            self.shapes[name] = tuple(output.shape[1:])
            source = self._made.get(id(inputs[0])) if inputs else None
            if (
                isinstance(module, nn.BatchNorm2d)
                and source
                and isinstance(self._module(source[0]), nn.Conv2d)
            ):
                self.folds.append((source[0], name))
            self._made[id(output)] = (name, output)  # kept, so that no other tensor gets its id

        return hook

    def _module(self, name: str) -> nn.Module:
        return self.net.get_submodule(name)


def fold(net: nn.Module, pairs: Sequence[tuple[str, str]]) -> None:
    """Multiply each normalisation into the convolution before it, in place: the same function, a pass over memory less.

    For a network in evaluation mode only.
    """
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for conv, norm in pairs:
        fused: Any = fuse_conv_bn_eval(net.get_submodule(conv), net.get_submodule(norm))  # type: ignore[type-var, arg-type]
        _put(net, conv, fused)
        _put(net, norm, nn.Identity())


def _put(net: nn.Module, name: str, module: nn.Module) -> None:
    above, _, last = name.rpartition(".")
    setattr(net.get_submodule(above), last, module)
