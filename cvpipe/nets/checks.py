"""What textbooks ask to be looked at before a training: the first loss, the first gradients, a few images by heart."""

from __future__ import annotations

import copy
import math
from dataclasses import replace

import numpy as np
import torch

from cvpipe.errors import RunError
from cvpipe.nets.examples import Examples
from cvpipe.nets.learning import Answer, Learning
from cvpipe.nets.moving_weights import norm
from cvpipe.nets.pixels import HeldPixels
from cvpipe.nets.recipe import Ties
from cvpipe.nets.schedules import Schedule
from cvpipe.nets.trainer import Training

FEW = 16
"""Images that a network should be able to learn by heart."""
TRIES = 200
"""Steps in which it should."""


def check(training: Training, by_heart: bool = False) -> None:
    """Look at a training before it begins, and note what is unusual; its network stays as it is.

    The first loss should be about log(classes), gradients finite and not zero. With `by_heart`, a copy is trained on
    `FEW` images without regularisation. Raises `RunError` for gradients that are no numbers.

    Source: Karpathy, "CS231n: convolutional neural networks for visual recognition", 2016, learning and evaluation,
    sanity checks.
    """
    rows = np.arange(min(len(training.examples.targets), training.recipe.part))
    pixels = next(iter(training.examples.pixels.batches([rows])))
    targets = torch.from_numpy(training.examples.targets[rows]).to(training.device)
    answer, length = _first(training, pixels, targets)
    if not math.isfinite(length) or not math.isfinite(answer.loss):
        raise RunError("the first gradient is no number: choose another initialise, or smaller weights")
    classes = int(training.examples.targets.max()) + 1
    usual = math.log(classes)
    fresh = not training.phase and getattr(training.module, "loss", None) is None
    if fresh and not usual / 2 < answer.loss < 2 * usual + 1:
        training.ties.note(
            f"the first loss is {answer.loss:.3g}, guessing would give log({classes}) = {usual:.3g}"
        )
    if length == 0:
        training.ties.note(
            "the first gradient is zero: nothing can be learned from it; choose another initialise"
        )
    if by_heart:
        _note_by_heart(training, pixels[:FEW], training.examples.targets[:FEW])


def _first(training: Training, pixels: torch.Tensor, targets: torch.Tensor) -> tuple[Answer, float]:
    """Loss and length of the gradient on some images, by a copy."""
    module = copy.deepcopy(training.module)
    training.prepare(module)
    plain = replace(training.recipe, augment={}, compiled=False)
    with Learning(
        module, plain, training.seeds, training.look, training.device, 1, training.ties.note
    ) as learning:
        gradients, answer = learning.gradients(0, pixels, targets)
    return answer, norm(gradients)


def _note_by_heart(training: Training, pixels: torch.Tensor, targets: np.ndarray) -> None:
    plain = replace(training.recipe, epochs=TRIES, batch=0, schedule=Schedule(), l1=0.0, l2=0.0, smoothing=0.0,
                    average=0.0, augment={}, patience=0, compiled=False)  # fmt: skip
    few = Examples(HeldPixels(pixels.cpu().numpy(), training.device), targets)
    copied = replace(training, module=copy.deepcopy(training.module), examples=few, validation=None, recipe=plain,
                     ties=Ties())  # fmt: skip
    reached = max(copied.run().epochs["accuracy"])
    said = "can learn" if reached == 1 else "cannot learn"
    training.ties.note(
        f"the network {said} {len(targets)} images by heart in {TRIES} steps ({100 * reached:.0f} %)"
    )
