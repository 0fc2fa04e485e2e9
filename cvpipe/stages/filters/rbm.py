"""Filters that are the hidden units of a restricted Boltzmann machine."""

from __future__ import annotations

import numpy as np

from cvpipe import fitting
from cvpipe.data.exhibits import Curves, Exhibit
from cvpipe.errors import RunError
from cvpipe.options import Count, Fraction, NonNegative, Positive
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.filters._coding import Coding
from cvpipe.vision import filter_codes
from cvpipe.vision.rbm import Plan, train


class Rbm(FilterLearner):
    """Binary hidden units of a restricted Boltzmann machine with Gaussian visible units, on white patches; pooled.

    Learns from the (M, h, w, 3) patches of `patches`, takes RGB images of any size, gives (n, regions * pools *
    filters) float32: region after region, pool after pool. Codes of a patch are the probabilities of the hidden
    units, in [0, 1]. Every patch of the image that lies inside it is encoded, `stride` px apart. An image smaller
    than a patch gives zeros. Fewer patches than `filters` are legal, and learn little. Raises `RunError` if there
    are no patches or if training diverges.

    Filters can be stacked: with `maps: m` the codes are given as maps of pools * codes channels, one position for m x m
    (0 x 0 where none fit), and maps of C channels that come in are taken as images are, with patches of (M, h, w, C).

    Source: Hinton, "A practical guide to training restricted Boltzmann machines", UTML TR 2010-003; Coates, Lee & Ng,
    AISTATS 2011, section 3.2.3 (sparse RBM on white patches).
    """

    steps: Count = 1  # of Gibbs sampling for each update: CD-k
    # with less than 0.01, units that are to be silent hardly begin to learn
    learning_rate: Positive = 0.05
    batch: Count = 100  # patches in a mini-batch; Hinton 2010, section 4
    epochs: Count = 10  # passes over the patches
    decay: NonNegative = 2e-4  # pull of the weights towards 0; Hinton 2010, section 10
    rho: Fraction = 0.02  # wanted mean probability of a unit; Hinton 2010, section 11: 0.01 to 0.1
    beta: NonNegative = 3.0  # weight of that wish on the biases

    bias_: np.ndarray
    errors_: np.ndarray

    def _learn(self, rows: np.ndarray) -> None:
        plan = Plan(self.epochs, self.batch, self.steps, self.learning_rate, self.decay, self.rho, self.beta)
        try:
            machine, self.errors_ = train(rows, self.filters, plan, self.rng("fit"), self._tell)
        except FloatingPointError as error:
            advice = f"lower `learning_rate` (now {self.learning_rate:g})"
            raise RunError(f"the machine diverged: {error}; {advice}", self.name) from error
        self.filters_, self.bias_ = np.ascontiguousarray(machine.weights.T), machine.hidden

    def _coding(self) -> Coding:
        return Coding(np.ascontiguousarray(self.filters_.T), self.bias_, filter_codes.sigmoid)

    def _tell(self, epoch: int, error: float) -> None:
        fitting.note(f"epoch {epoch} of {self.epochs}: squared error {error:.2f}")

    def exhibits(self) -> list[Exhibit]:
        """Filters, and how training went."""
        epochs = np.arange(1, len(self.errors_) + 1)
        series = {"training patches": (epochs, self.errors_)}
        return [
            *super().exhibits(),
            Curves("Reconstruction", "epoch", "squared error of a white patch", series),
        ]
