"""What autoencoders that are learners of filters share: options of training, what is learned, how they encode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Interval

from cvpipe.errors import RunError
from cvpipe.options import Count, NonNegative, Positive
from cvpipe.stages.filters._base import Coding, FilterLearner
from cvpipe.vision import filter_codes

if TYPE_CHECKING:
    from cvpipe.nets.autoencoder import Objective

MOST_HELD = 10_000
"""Most patches that are held out: more would not make the decision to stop any surer."""
CODES = {"sigmoid": filter_codes.sigmoid, "relu": filter_codes.rectified}


class AutoencoderFilters(FilterLearner):
    """An autoencoder whose hidden units are filters. A learner of its own adds a penalty or noise."""

    activation: Literal["sigmoid", "relu"] = "sigmoid"  # of hidden units
    tied: bool = False  # the decoder is the encoder transposed
    decay: NonNegative = 3e-3  # weight of the squared weights; Ng 2011, exercise: 3e-3 on white colour patches
    optimiser: Literal["adam", "lbfgs"] = "adam"  # mini-batches, or all patches at once as in Ng 2011
    learning_rate: Positive = 1e-3  # of Adam, Kingma & Ba 2015; first step of a line search of L-BFGS: use 1
    batch: Count = 1024  # patches in a mini-batch of Adam
    epochs: Count = 30  # most passes over the patches; L-BFGS needs some 400
    patience: Count = 3  # training ends after so many epochs without a smaller loss on held-out patches
    held_out: Annotated[float, Interval(ge=0, lt=1)] = 0.1  # share of patches that only decide when to stop

    bias_: np.ndarray
    decoder_: np.ndarray
    output_: np.ndarray
    history_: np.ndarray
    activity_: np.ndarray

    def _train(self, rows: np.ndarray, how: Objective, **noise: float) -> None:
        """Set what is learned; `noise` is dropout, masked and noise of a plan, 0 where it is not given."""
        from cvpipe.nets.autoencoder_training import Diverged, Plan, train

        rng = self.rng("fit")
        order = rng.permutation(len(rows))
        held = np.sort(order[: min(int(self.held_out * len(rows)), MOST_HELD)])
        learned = np.sort(order[len(held) :])
        plan = Plan(
            self.filters, self.tied, self.optimiser, self.learning_rate, self.batch, self.epochs, self.patience,
            **{"dropout": 0.0, "masked": 0.0, "noise": 0.0} | noise,
        )  # fmt: skip
        try:
            found = train(rows[learned], rows[held], how, plan, int(rng.integers(2**62)), self._device(), self._tell)
        except Diverged as error:
            raise RunError(f"the autoencoder diverged: {error}; {self._advice()}", self.name) from error
        self.filters_ = np.ascontiguousarray(found.encoder.T)
        self.bias_, self.decoder_, self.output_ = found.bias, found.decoder, found.output
        self.history_ = found.history

    def _coding(self) -> Coding:
        return Coding(np.ascontiguousarray(self.filters_.T), self.bias_, CODES[self.activation])

    def _advice(self) -> str:
        brightness = "" if self.evening == "contrast" else ", or use `evening: contrast`"
        return f"lower `learning_rate` (now {self.learning_rate:g}), or raise `batch` (now {self.batch}){brightness}"

    def _device(self) -> str:
        return "cpu"

    def _tell(self, epoch: int, row: np.ndarray) -> None:
        pass
