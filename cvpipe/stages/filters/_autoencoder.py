"""What autoencoders that are learners of filters share: options of training, what is learned, how they encode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from annotated_types import Interval

from cvpipe import device, fitting
from cvpipe.data.exhibits import Curves, Exhibit, Gallery
from cvpipe.errors import RunError
from cvpipe.options import Count, NonNegative, Positive
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.filters._coding import Coding
from cvpipe.stages.filters._exhibits import redrawn_gallery
from cvpipe.vision import filter_codes

if TYPE_CHECKING:
    from cvpipe.nets.autoencoder import Objective

MOST_HELD = 10_000
"""Most patches that are held out: more would not make the decision to stop any surer."""
EXAMPLES = 12
"""Patches that are shown beside what was drawn of them."""
CODES = {"sigmoid": filter_codes.sigmoid, "relu": filter_codes.rectified}


class AutoencoderFilters(FilterLearner):
    """An autoencoder whose hidden units are filters. A learner of its own adds a penalty or noise."""

    activation: Literal["sigmoid", "relu"] = "sigmoid"  # of hidden units
    tied: bool = False  # the decoder is the encoder transposed
    # weight of the squared weights; Ng 2011, exercise: 3e-3 on white colour patches
    decay: NonNegative = 3e-3
    optimiser: Literal["adam", "lbfgs"] = "adam"  # mini-batches, or all patches at once as in Ng 2011
    learning_rate: Positive = 3e-3  # of Adam; first step of a line search of L-BFGS: use 1
    batch: Count = 256  # patches in a mini-batch of Adam
    epochs: Count = 30  # most passes over the patches; L-BFGS needs some 400
    patience: Count = 3  # training ends after so many epochs without a smaller loss on held-out patches
    held_out: Annotated[float, Interval(ge=0, lt=1)] = 0.1  # share of patches that only decide when to stop

    bias_: np.ndarray
    decoder_: np.ndarray
    output_: np.ndarray
    history_: np.ndarray
    examples_: np.ndarray

    def _train(self, rows: np.ndarray, how: Objective, **noise: float) -> None:
        """Set what is learned; `noise` is dropout, masked and noise of a plan, 0 where it is not given."""
        from cvpipe.nets.autoencoder_learner import Plan
        from cvpipe.nets.autoencoder_training import Diverged, train
        from cvpipe.nets.recipe import Ties

        rng = self.rng("fit")
        order = rng.permutation(len(rows))
        held = np.sort(order[: min(int(self.held_out * len(rows)), MOST_HELD)])
        learned = np.sort(order[len(held) :])
        plan = Plan(
            self.filters, self.tied, self.optimiser, self.learning_rate, self.batch, self.epochs, self.patience,
            **{"dropout": 0.0, "masked": 0.0, "noise": 0.0} | noise,
        )  # fmt: skip
        try:
            seed = int(rng.integers(2**62))
            ties = Ties(fitting.note, fitting.load, fitting.save)
            found = train(rows[learned], rows[held], how, plan, seed, device.current(), self._tell, ties)
        except Diverged as error:
            raise RunError(f"the autoencoder diverged: {error}; {self._advice()}", self.name) from error
        self.filters_ = np.ascontiguousarray(found.encoder.T)
        self.bias_, self.decoder_, self.output_ = found.bias, found.decoder, found.output
        self.history_ = found.history
        self.examples_ = rows[(held if len(held) else learned)[:EXAMPLES]]

    def exhibits(self) -> list[Exhibit]:
        """Filters and their use, how training went, and some patches drawn again."""
        epochs = np.arange(1, len(self.history_) + 1)
        training, penalty, held, held_penalty = self.history_.T
        error = {"training patches": (epochs, training), "held-out patches": (epochs, held)}
        silence = {"training patches": (epochs, penalty), "held-out patches": (epochs, held_penalty)}
        shown = [
            *super().exhibits(),
            Curves("Reconstruction", "epoch", "half the squared error of a white patch", error),
            Curves("Penalty on activations", "epoch", "penalty, times its weight", silence),
        ]
        return shown if self.below_ == "maps" else [*shown, self._redrawn()]

    def _redrawn(self) -> Gallery:
        hidden = self._codes(self.examples_)
        back = np.linalg.pinv(self.whitening_.astype(np.float64))
        redrawn = hidden @ self.decoder_ + self.output_
        return redrawn_gallery(
            self.examples_ @ back + self.mean_, redrawn @ back + self.mean_, self._window()
        )

    def _coding(self) -> Coding:
        return Coding(np.ascontiguousarray(self.filters_.T), self.bias_, CODES[self.activation])

    def _advice(self) -> str:
        brightness = "" if self.evening == "contrast" else ", or use `evening: contrast`"
        return f"lower `learning_rate` (now {self.learning_rate:g}), or raise `batch` (now {self.batch}){brightness}"

    def _tell(self, epoch: int, losses: np.ndarray) -> None:
        error, penalty = losses[2:]
        fitting.note(f"epoch {epoch} of {self.epochs}: held-out error {error:.2f}, penalty {penalty:.2f}")
