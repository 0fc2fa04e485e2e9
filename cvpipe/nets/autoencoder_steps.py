"""From gradients to parameters: Adam, part by part of the vector, and L-BFGS; both as arrays and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cvpipe.nets import checkpoint
from cvpipe.nets.autoencoder import compiles

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's constants; Kingma & Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1."""
LBFGS_MEMORY = 10
"""Pairs of steps and gradients that L-BFGS keeps."""


class Adam:
    """Adam on parts (start, stop) of a vector, each when its slope is there; all have taken as many steps.

    The numbers are those of `torch.optim.Adam`, to rounding, without what that does in Python around each part.
    """

    def __init__(
        self, vector: Tensor, slope: Tensor, parts: Sequence[tuple[int, int]], learning_rate: float
    ) -> None:
        self.mean, self.square = torch.zeros_like(vector), torch.zeros_like(vector)
        self.steps = torch.zeros(len(parts), dtype=torch.int64)
        change = _compiled if compiles(vector) else _plain
        tensors = (vector, slope, self.mean, self.square)
        self._parts = {  # views take longer to make than some thousand numbers to change
            start: (number, change([tensor[start:stop] for tensor in tensors], learning_rate))
            for number, (start, stop) in enumerate(parts)
        }
        self._taken = self.steps.numpy()

    def step(self, start: int, stop: int) -> None:
        """Change one of the parts."""
        number, change = self._parts[start]
        self._taken[number] += 1
        change(int(self._taken[number]))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the next step depends on."""
        return checkpoint.arrays_of(self._state())

    def put(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from `arrays`."""
        checkpoint.put(self._state(), arrays)

    def _state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "square": self.square, "steps": self.steps}


def _compiled(tensors: list[Tensor], rate: float) -> Callable[[int], None]:
    from cvpipe.nets._autoencoder_kernel import adam

    arrays = [tensor.numpy() for tensor in tensors]
    return lambda step: adam(*arrays, step, rate, BETA1, BETA2, EPSILON)


def _plain(tensors: list[Tensor], rate: float) -> Callable[[int], None]:
    vector, slope, mean, square = tensors

    def change(step: int) -> None:
        mean.lerp_(slope, 1 - BETA1)
        square.mul_(BETA2).addcmul_(slope, slope, value=1 - BETA2)
        spread = (square / (1 - BETA2**step)).sqrt_().add_(EPSILON)
        vector.addcdiv_(mean, spread, value=-rate / (1 - BETA1**step))

    return change


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
