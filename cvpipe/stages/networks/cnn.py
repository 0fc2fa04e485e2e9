"""A network trained from its first weights on, as a classifier of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from cvpipe.data import Images, Predictions
from cvpipe.data.exhibits import Exhibit
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of
from cvpipe.stages.networks._capsules import DRAWN, capsules_of, perturbed
from cvpipe.stages.networks._frame import Frame, frame_of, sides
from cvpipe.stages.networks._lesson import Lesson
from cvpipe.stages.networks._network import Network
from cvpipe.stages.networks._options import Chosen, Seen, Trained

if TYPE_CHECKING:
    from torch import nn


class Cnn(Trained, Seen, Chosen, Network, Classifier):
    """A network, built with random weights and trained end to end by gradient descent.

    Takes RGB images of any size, made `size` px and grey or colour as `channels` says, and normalised by the mean and
    deviation of each channel of the training images. Gives (n, k) float32 probabilities (softmax), which sum to 1. Tiny
    images are enlarged. Training is the same, to the last bit, for any number of threads on a CPU, and goes on
    after an interruption as if there had been none. Raises `RunError` without labels, with one class only, for a
    `size` that is too small for the network, and when the loss is no number any more.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 1998, section II;
    Goodfellow, Bengio & Courville, "Deep learning", 2016, chapters 7 and 8.
    """

    capsules_: np.ndarray

    gives_probabilities = True

    def conflicts(self) -> list[str]:
        """What does not go together."""
        from cvpipe.nets.build import size_problem

        found = Chosen.conflicts(self)
        if not found and self.size != "auto":  # which is never too small
            found = [size_problem(self.net, sides(self.size), self.options or {})]
        return [*filter(None, found), *Trained.conflicts(self)]

    def fit(self, images: Images, labels: np.ndarray | None = None) -> Self:
        """Train on n images and their (n,) labels."""
        from cvpipe.nets.build import smallest_size
        from cvpipe.nets.own import check_output

        self.classes_, truth = classes_of(labels, self.name)
        frame = frame_of(images, self.size, self.channels, smallest_size(self.net, **(self.options or {})))
        lesson = Lesson(self, images, truth, frame)
        module = self._fresh(frame, len(self.classes_), lesson.seeds("weights"))
        check_output(self.net, module, len(self.classes_), frame.channels, (frame.height, frame.width))
        history = lesson.teach(module)
        self.keep(module.cpu(), frame, lesson.look, history)
        _, first = np.unique(truth, return_index=True)
        self.capsules_ = capsules_of(self, images[first[:DRAWN]])
        return self

    def predict(self, images: Images) -> Predictions:
        """(H, W, 3) uint8 RGB images -> (n, k) float32 probabilities."""
        from cvpipe.nets.inference import softmax

        return Predictions(scores=softmax(self.outputs(images)), classes=self.classes_)

    def class_maps(self, images: Images) -> np.ndarray | None:
        """(n, k, h, w) float32 probabilities of the classes at each position of each image, as a fully convolutional
        network sees them; None of networks that see an image as a whole."""
        from cvpipe.nets.inference import outputs, softmax
        from cvpipe.nets.learning import Look

        module: Any = self.module()
        if not hasattr(module, "class_maps"):
            return None
        pixels = self.trained_frame().batch(images)
        return softmax(outputs(module, Look.of(self.mean_, self.deviation_), pixels, module.class_maps))

    def exhibits(self) -> list[Exhibit]:
        """Curves of the training, filters of the first layer; of a capsule network also what its dimensions mean."""
        return [*super().exhibits(), *perturbed(self, self.capsules_, self.classes_)]

    def build(self) -> nn.Module:
        """The network for what was learned."""
        return self._fresh(self.trained_frame(), len(self.classes_), 0)

    def _fresh(self, frame: Frame, classes: int, seed: int) -> nn.Module:
        """The network with its first weights."""
        import torch

        from cvpipe.nets.build import build
        from cvpipe.nets.initialise import initialise

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            size = (frame.height, frame.width)
            module = build(
                self.net, classes=classes, channels=frame.channels, size=size, **(self.options or {})
            )
            if self.initialise != "own":
                initialise(module, self.initialise, torch.default_generator)
        return module
