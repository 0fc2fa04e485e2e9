"""The weights of a network in training: how a gradient moves them, their moving average, and all of it as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from cvpipe.nets import checkpoint, optimisers
from cvpipe.nets.recipe import Recipe

Arrays = dict[str, np.ndarray]


class MovingWeights:
    """What `Recipe` does to the weights of a network at each step."""

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        self.module, self._recipe = module, recipe
        self.trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
        self.optimiser = optimisers.make(
            recipe.optimiser,
            self.trained,
            rate=recipe.rate,
            momentum=recipe.momentum,
            l2=recipe.l2,
            factors=recipe.factors,
        )
        self.average = {n: p.detach().clone() for n, p in self.trained.items()} if recipe.average else {}
        for parameter in self.trained.values():
            parameter.grad = torch.zeros_like(parameter)

    def step(self, gradients: Sequence[Tensor], rate: float, step: int) -> None:
        """Move the weights against a gradient, and the average after them."""
        optimisers.set_rate(self.optimiser, rate)
        with torch.no_grad():
            for parameter, gradient in zip(self.trained.values(), gradients, strict=True):
                assert parameter.grad is not None
                parameter.grad.copy_(gradient)  # laid out as the weights are, which fused steps rely on
                if self._recipe.l1 and parameter.ndim > 1:
                    parameter.grad.add_(parameter.sign(), alpha=self._recipe.l1)
        if self._recipe.clip:
            nn.utils.clip_grad_norm_(self.trained.values(), self._recipe.clip)
        self.optimiser.step()
        self._follow(step)

    def _follow(self, step: int) -> None:
        """The average follows quickly at first: the decay is at most (1 + step) / (10 + step)."""
        pace = 1 - min(self._recipe.average, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, mean in self.average.items():
                mean.lerp_(self.trained[name], pace)

    def flat(self) -> Tensor:
        """All trained weights, copied, one after the other."""
        return torch.cat([p.detach().flatten() for p in self.trained.values()])

    def use_average(self) -> Arrays:
        """Put the moving average in the place of the weights; gives the weights, for `put_back`."""
        before = checkpoint.arrays_of(self.trained) if self.average else {}
        self._set(self.average)
        return before

    def put_back(self, before: Mapping[str, np.ndarray]) -> None:
        """Undo `use_average`."""
        if before:
            checkpoint.put(self.trained, before)

    def _set(self, values: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, value in values.items():
                self.trained[name].copy_(value)

    def arrays(self) -> Arrays:
        """Everything that training goes on from."""
        return (
            checkpoint.with_prefix("weights", checkpoint.arrays_of(self.module.state_dict()))
            | checkpoint.with_prefix("average", checkpoint.arrays_of(self.average))
            | checkpoint.with_prefix("optimiser", checkpoint.optimiser_arrays(self.optimiser))
        )

    def fits(self, arrays: Mapping[str, np.ndarray]) -> bool:
        """Whether `arrays` are of this network and this recipe."""
        return checkpoint.fits(self.module.state_dict(), checkpoint.below("weights", arrays)) and (
            checkpoint.fits(self.average, checkpoint.below("average", arrays))
        )

    def put(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set what `arrays` gave."""
        checkpoint.put(self.module.state_dict(), checkpoint.below("weights", arrays))
        checkpoint.put(self.average, checkpoint.below("average", arrays))
        checkpoint.put_optimiser(self.optimiser, checkpoint.below("optimiser", arrays))


def norm(gradients: Sequence[Tensor]) -> float:
    """The Euclidean length of a gradient."""
    return math.sqrt(float(sum((g.double() ** 2).sum() for g in gradients))) if gradients else 0.0
