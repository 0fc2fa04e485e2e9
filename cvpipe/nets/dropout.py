"""Dropout whose draws have an address, so that several threads can train and the result is the same."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class AddressedDropout(nn.Module):
    """Dropout that draws from a generator of its own, which is seeded before each step.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 2014, in the
    form that scales while training.
    """

    def __init__(self, probability: float, whole_maps: bool) -> None:
        super().__init__()
        self.probability = probability
        self.whole_maps = whole_maps
        self.generator: torch.Generator | None = None

    def forward(self, values: Tensor) -> Tensor:
        """Values of any shape; while training some of them (or whole channels) are 0, the rest larger."""
        if not self.training or self.probability == 0:
            return values
        shape = values.shape[:2] + (1,) * (values.ndim - 2) if self.whole_maps else values.shape
        keep = 1 - self.probability
        mask = torch.empty(shape, device=values.device, dtype=values.dtype)
        return values * (mask.bernoulli_(keep, generator=self.generator) / max(keep, 1e-12))

    def __deepcopy__(self, memo: dict) -> AddressedDropout:
        # A generator cannot be copied; every copy is given its own.
        return AddressedDropout(self.probability, self.whole_maps)


def address(module: nn.Module) -> None:
    """Put `AddressedDropout` in the place of every `torch.nn.Dropout` inside a module."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Dropout | nn.Dropout1d | nn.Dropout2d):
                setattr(parent, name, AddressedDropout(float(child.p), not isinstance(child, nn.Dropout)))


def give(module: nn.Module, generator: torch.Generator) -> None:
    """Let every dropout of a module draw from this generator."""
    for child in module.modules():
        if isinstance(child, AddressedDropout):
            child.generator = generator


def draws_by_itself(module: nn.Module, images: Tensor) -> bool:
    """Whether a network in training draws from torch's own generator, as `functional.dropout` does.

    Then threads would draw in any order, and parts of a batch have to wait for each other.
    """
    module = copy.deepcopy(module)
    address(module)
    give(module, torch.Generator(images.device).manual_seed(0))
    with torch.random.fork_rng(), torch.no_grad():
        before = _states()
        module(images)
        return any(not torch.equal(a, b) for a, b in zip(before, _states(), strict=True))


def _states() -> list[Tensor]:
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [])]
