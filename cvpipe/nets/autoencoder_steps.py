"""From gradients to parameters: Adam and L-BFGS; both as arrays and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets import checkpoint

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants; Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1."""
LBFGS_MEMORY = 10
"""Pairs of steps and gradients that L-BFGS keeps."""


class Adam:
    """Adam on a vector. The numbers are those of `torch.optim.Adam`, to rounding. On the processor
    `autoencoder_pieces` takes its steps, part by part of the vector, as soon as the slope of a part is there."""

    def __init__(self, vector: Tensor, slope: Tensor, learning_rate: float) -> None:
        self.vector, self.slope = vector, slope
        self.mean, self.square = torch.zeros_like(vector), torch.zeros_like(vector)
        self.taken = torch.zeros((), dtype=torch.int64)
        """Steps so far."""
        self.constants = (learning_rate, BETA1, BETA2, EPSILON)

    def step(self) -> None:
        """Change the vector."""
        self.taken += 1
        rate, taken = self.constants[0], int(self.taken)
        self.mean.lerp_(self.slope, 1 - BETA1)
        self.square.mul_(BETA2).addcmul_(self.slope, self.slope, value=1 - BETA2)
        spread = (self.square / (1 - BETA2**taken)).sqrt_().add_(EPSILON)
        self.vector.addcdiv_(self.mean, spread, value=-rate / (1 - BETA1**taken))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the next step depends on."""
        return checkpoint.arrays_of(self._state())

    def put(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from `arrays`."""
        checkpoint.put(self._state(), arrays)

    def _state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "square": self.square, "taken": self.taken}


class Lbfgs:
    """torch's L-BFGS with a line search on one vector, an iteration at a time."""

    def __init__(self, vector: Tensor, slope: Tensor, learning_rate: float) -> None:
        self.slope, self.parameter = slope, torch.nn.Parameter(vector)
        self.solver = torch.optim.LBFGS(
            [self.parameter],
            lr=learning_rate,
            max_iter=1,
            history_size=LBFGS_MEMORY,
            line_search_fn="strong_wolfe",
        )

    def step(self, loss: Callable[[], float]) -> None:
        """One iteration; `loss` gives it and sets the slope, as often as the line search asks."""

        def closure() -> float:
            found = loss()
            self.parameter.grad = self.slope
            return found

        self.solver.step(closure)  # type: ignore[arg-type]

    def arrays(self) -> dict[str, np.ndarray]:
        """What the next iteration depends on. Lists, of what past iterations gave, are stacked."""
        state = {key: value for key, value in self._state().items() if key != "al"}  # al: scratch
        stacked = {k: torch.stack(v) if isinstance(v, list) and v else v for k, v in state.items()}
        tensors = {k: v for k, v in stacked.items() if isinstance(v, Tensor)}
        plain = {k: np.array([v]) for k, v in stacked.items() if isinstance(v, int | float)}
        return checkpoint.arrays_of(tensors) | plain

    def put(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from `arrays`."""
        state: dict[str, Any] = {"old_dirs": [], "old_stps": [], "ro": []}
        for key, array in arrays.items():
            tensor = torch.from_numpy(np.array(array)).to(self.parameter.device)
            if key in ("old_dirs", "old_stps", "ro"):
                state[key] = list(tensor)
            elif key in ("d", "prev_flat_grad"):
                state[key] = tensor
            else:
                state[key] = tensor[()].reshape(()) if key == "H_diag" else array.reshape(-1)[0].item()
        self._state().update(state)

    def _state(self) -> dict[str, Any]:
        return self.solver.state[self.parameter]
