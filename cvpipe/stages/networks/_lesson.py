"""From images and options to a trained network: what is held back, held in memory, said and kept while training."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe import device, fitting, threads
from cvpipe.data import Images
from cvpipe.data.seeds import derive
from cvpipe.errors import RunError
from cvpipe.stages.networks._frame import Frame
from cvpipe.stages.networks._options import Trained

if TYPE_CHECKING:
    from torch import nn

    from cvpipe.nets.examples import Examples
    from cvpipe.nets.learning import Look
    from cvpipe.nets.pixels import Pixels
    from cvpipe.nets.recipe import Recipe


ENOUGH = 5000
"""Images that tell the mean of all."""
BLOCK = 32
"""Images whose features a thread computes at a time."""


class Lesson:
    """Training images as a network sees them, split into those it learns from and those that are only watched."""

    def __init__(
        self, stage: Trained, images: Images, truth: np.ndarray, frame: Frame, look: Look | None = None
    ) -> None:
        self.stage, self.frame, self.place = stage, frame, device.current()
        watched = held_back(truth, stage.validation, stage.rng("validation"))
        if stage.validation and not watched.any():
            said = f"validation: {stage.validation} of the images of a class is none of them"
            fitting.warn(f"{said}: nothing is watched, and training does not end early")
        self.examples = self._examples(images, truth, ~watched)
        self.watched = self._examples(images, truth, watched) if watched.any() else None
        self.look = look or self._spread()

    def seeds(self, *address: str | int) -> int:
        """The seed for an address."""
        return derive(self.stage.seed, self.stage.name, *address)

    def teach(
        self, module: nn.Module, recipe: Recipe | None = None, **changes: Any
    ) -> dict[str, list[float]]:
        """Train a network in place; gives the numbers of each epoch. `changes` are other fields of a `Training`."""
        from cvpipe.nets.checks import check
        from cvpipe.nets.recipe import Ties
        from cvpipe.nets.trainer import Training

        ties = Ties(fitting.note, fitting.load, fitting.save, _scalars(self.stage.tensorboard))
        usual = {"examples": self.examples, "validation": self.watched, "ties": ties, "seeds": self.seeds}
        training = Training(
            module=module,
            recipe=recipe or self.stage.recipe(self.place),
            look=self.look,
            device=self.place,
            threads=threads.allowed(),
            **{**usual, **changes},
        )
        check(training, self.stage.overfit_check)
        return training.run().epochs

    def features(self, module: nn.Module, mirrored: bool = False) -> np.ndarray:
        """(n, D) float32: what a network gives for the images that are learned from, by all threads."""
        from cvpipe.nets.inference import outputs

        pixels, count = self.examples.pixels, len(self.examples.targets)

        def work(start: int, stop: int) -> np.ndarray:
            batch = next(iter(pixels.batches([np.arange(start, stop)]))).cpu().numpy()
            return outputs(module, self.look, batch[:, :, ::-1].copy() if mirrored else batch)

        return np.concatenate(threads.map_blocks(work, count, BLOCK))

    def _spread(self) -> Look:
        """Mean and deviation of the channels, over up to `ENOUGH` images."""
        from cvpipe.nets.learning import Look
        from cvpipe.nets.pixels import spread

        rows = np.sort(self.stage.rng("look").permutation(len(self.examples.targets))[:ENOUGH])
        mean, deviation = spread(next(iter(self.examples.pixels.batches([rows]))))
        return Look(mean.cpu(), deviation.cpu())

    def _examples(self, images: Images, truth: np.ndarray, chosen: np.ndarray) -> Examples:
        from cvpipe.nets.examples import Examples

        rows = np.flatnonzero(chosen)
        return Examples(self._pixels(images[rows]), truth[rows])

    def _pixels(self, images: Images) -> Pixels:
        from cvpipe.nets.pixels import HeldPixels, StreamedPixels

        if self.frame.megabytes(len(images)) <= self.stage.memory:
            return HeldPixels(self.frame.batch(images), self.place)
        return StreamedPixels(
            len(images), lambda rows: self.frame.batch(images[rows]), threads.allowed(), self.place
        )


def held_back(truth: np.ndarray, share: float, draws: np.random.Generator) -> np.ndarray:
    """(n,) whether an image is only watched: that share of each class, rounded, never all of it."""
    watched = np.zeros(len(truth), bool)
    for number in np.unique(truth):
        rows = draws.permutation(np.flatnonzero(truth == number))
        watched[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    return watched


def _scalars(folder: str | None) -> Callable[[int, dict[str, float]], None]:
    """What writes the numbers of an epoch for TensorBoard. Raises `RunError` where it is not installed."""
    if folder is None:
        return lambda epoch, numbers: None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise RunError("option tensorboard needs a package: pip install tensorboard") from error
    writer = SummaryWriter(folder)

    def write(epoch: int, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            writer.add_scalar(name, value, epoch)
        writer.flush()

    return write
