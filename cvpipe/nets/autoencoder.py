"""An autoencoder of one hidden layer: its parameters, its loss, and the parts of its gradient.

    h = f(x A + b),    x^ = (h * kept) D + c,    D = A' if weights are tied
    loss = mean |x^ - t|^2 / 2 + beta sum_j KL(rho || mean h_j) + decay (|A|^2 + |D|^2) / 2

with means over the rows of a batch, t the row before noise, and beta mean |h| in place of KL for the l1 penalty.

Source: Ng, "Sparse autoencoder", CS294A lecture notes, Stanford 2011, sections 2 and 3; Vincent et al., "Stacked
denoising autoencoders", JMLR 2010, section 3 (noise).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Activation = Literal["sigmoid", "relu"]
Penalty = Literal["kl", "l1", "none"]
EDGE = 1e-6
"""Mean activations are kept so far from 0 and 1, where KL is infinite."""


@dataclass(frozen=True)
class Objective:
    """What is minimised."""

    activation: Activation
    penalty: Penalty
    rho: float
    """Wanted mean activation of a hidden unit, for `kl`."""
    beta: float
    """Weight of the penalty."""
    decay: float
    """Weight of the squared weights."""


class Parameters:
    """The parameters of d x hidden x d units, as views into one vector: A', D unless tied, b, c.

    A is kept transposed: a hidden unit then is a row of both matrices, so that those of some units lie side by side.
    """

    def __init__(self, vector: Tensor, width: int, hidden: int, tied: bool) -> None:
        self.vector, self.tied = vector, tied
        self.matrices = vector[: -(hidden + width)].view(1 if tied else 2, hidden, width)
        """(1 or 2, hidden, d)."""
        self.encoder, self.decoder = self.matrices[0], self.matrices[-1]
        self.bias, self.output = vector[-(hidden + width) :].split([hidden, width])

    @staticmethod
    def count(width: int, hidden: int, tied: bool) -> int:
        """How long the vector is."""
        return width * hidden * (1 if tied else 2) + hidden + width

    def like(self, vector: Tensor) -> Parameters:
        """Other numbers in the same shapes: a gradient."""
        hidden, width = self.encoder.shape
        return Parameters(vector, width, hidden, self.tied)


def compiles(numbers: Tensor) -> bool:
    """Whether compiled kernels can work on such numbers."""
    return numbers.device.type == "cpu" and numbers.dtype == torch.float32


def activate(responses: Tensor, activation: Activation) -> Tensor:
    """f, in place."""
    return responses.sigmoid_() if activation == "sigmoid" else responses.relu_()


def through_activation(slope: Tensor, hidden: Tensor, activation: Activation) -> Tensor:
    """From the slope by h to that by the responses, in place."""
    if activation == "sigmoid":
        return torch.ops.aten.sigmoid_backward.grad_input(slope, hidden, grad_input=slope)
    return torch.ops.aten.threshold_backward.grad_input(slope, hidden, 0, grad_input=slope)


def hidden_units(parameters: Parameters, rows: Tensor, activation: Activation) -> Tensor:
    """(n, hidden): f(x A + b)."""
    return activate(torch.addmm(parameters.bias, rows, parameters.encoder.T), activation)


def reconstruction(parameters: Parameters, hidden: Tensor) -> Tensor:
    """(n, d): h D + c."""
    return torch.addmm(parameters.output, hidden, parameters.decoder)


def penalty(mean: Tensor, how: Objective) -> Tensor:
    """(): the penalty, from the (hidden,) mean activations of units."""
    if how.penalty == "none":
        return mean.new_zeros(())
    if how.penalty == "l1":  # activations are not negative
        return how.beta * mean.sum()
    mean, rho = mean.clamp(EDGE, 1 - EDGE), how.rho
    constant = len(mean) * (rho * math.log(rho) + (1 - rho) * math.log1p(-rho))
    logs = mean.log().sum().mul_(rho).add_(mean.neg_().log1p_().sum(), alpha=1 - rho)
    return logs.neg_().add_(constant).mul_(how.beta)


def penalty_slope(mean: Tensor, how: Objective) -> Tensor:
    """(hidden,): the derivative of the penalty by the mean activations; that of KL is (m - rho) / (m - m^2)."""
    if how.penalty == "none":
        return torch.zeros_like(mean)
    if how.penalty == "l1":
        return torch.full_like(mean, how.beta)
    mean = mean.clamp(EDGE, 1 - EDGE)
    spread = torch.addcmul(mean, mean, mean, value=-1)
    return mean.sub_(how.rho).div_(spread).mul_(how.beta)
