"""A network that learned elsewhere goes on learning on one's own images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from annotated_types import Interval

from cvpipe import fitting
from cvpipe.data import Images, Predictions
from cvpipe.errors import did_you_mean, listed
from cvpipe.options import Count, PathOrWord
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of
from cvpipe.stages.networks._frame import Frame
from cvpipe.stages.networks._lesson import Lesson
from cvpipe.stages.networks._network import Network
from cvpipe.stages.networks._options import Trained

if TYPE_CHECKING:
    from torch import nn

    from cvpipe.nets.learning import Look

HEAD_RATE = 1e-3
"""Learning rate of the new last layer, with adam (Kingma & Ba 2015)."""


class FineTune(Trained, Network, Classifier):
    """A network with weights from another task, its last layer new, trained from the top down.

    First the new last layer learns alone, from features that are computed once. Then, for each layer in `unfreeze`,
    that layer and all above it learn for `epochs` epochs, lower ones more slowly; what lies below keeps its weights and
    its normalisation. Takes RGB images of any size, gives (n, k) float32 probabilities, which sum to 1. Raises
    `RunError` without labels or with one class only, `DataError` for weights that are damaged or of another network.

    Source: Yosinski, Clune, Bengio & Lipson, "How transferable are features in deep neural networks?", NIPS 2014;
    Howard & Ruder, "Universal language model fine-tuning for text classification", ACL 2018, sections 3.2 and 3.3.
    """

    net: str = "efficientnet_lite0"  # a network with a dense last layer
    weights: PathOrWord = "lite0"  # lite0, NETWORK.RECIPE of torchvision, or a file with a state dict
    # top-level layers from which on the network learns, one step after the other, such as [head, block12]; null is one
    # step, the upper third of the layers
    unfreeze: tuple[str, ...] | None = None
    size: Count | None = (
        None  # side of the square that images are resized to, px; null: as in the network's paper
    )
    epochs: Count = 5  # passes over the training images, for each layer in `unfreeze`
    head_epochs: Count = 30  # passes over the features for the new last layer
    rate_fall: Annotated[float, Interval(gt=0, le=1)] = (
        0.8  # factor on the learning rate, layer by layer downwards
    )

    def conflicts(self) -> list[str]:
        """What does not go together."""
        from cvpipe.nets.table import net_problem
        from cvpipe.nets.weights import weights_problem

        wrong = net_problem(self.net) or weights_problem(self.net, self.weights)
        return [*([wrong] if wrong else self._unknown_layers()), *Trained.conflicts(self)]

    def reads(self) -> list[Path]:
        """The file with the weights, if that is where they are."""
        from cvpipe.nets.weights import is_file

        return [Path(self.weights)] if is_file(self.weights) else []

    def fit(self, images: Images, labels: np.ndarray | None = None) -> Self:
        """Train on n images and their (n,) labels."""
        self.classes_, truth = classes_of(labels, self.name)
        frame = Frame(self._side(), self._side(), 3)
        lesson = Lesson(self, images, truth, frame, self._look())
        module = self._pretrained(frame, lesson)
        broken_off = fitting.load()
        done = int(broken_off[1]["phase"]) if broken_off else 0
        history: dict[str, list[float]] = dict(broken_off[1]["earlier"]) if broken_off else {}
        if not done:
            self._teach_head(lesson, module)
        for phase, first in enumerate(self._steps(module), 1):
            if phase >= done:
                more = self._teach(lesson, module, first, phase, history)
                history = {name: [*history.get(name, []), *values] for name, values in more.items()}
        self.keep(module.cpu(), frame, lesson.look, history)
        return self

    def predict(self, images: Images) -> Predictions:
        """(H, W, 3) uint8 RGB images -> (n, k) float32 probabilities."""
        from cvpipe.nets.inference import softmax

        return Predictions(scores=softmax(self.outputs(images)), classes=self.classes_)

    def build(self) -> nn.Module:
        """The network for what was learned."""
        return self._net(self.trained_frame(), len(self.classes_), 0)

    def _net(self, frame: Frame, classes: int, seed: int) -> nn.Module:
        import torch

        from cvpipe.nets.build import build

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build(self.net, classes=classes, channels=3, size=(frame.height, frame.width))

    def _pretrained(self, frame: Frame, lesson: Lesson) -> nn.Module:
        """The network with its weights from elsewhere, and a new last layer."""
        from cvpipe.nets.heads import classes_in, take_over
        from cvpipe.nets.weights import load

        module = self._net(frame, len(self.classes_), lesson.seeds("head"))
        source = self._net(frame, classes_in(module, self.weights), 0)
        load(source, self.net, self.weights)
        take_over(module, source)
        return module

    def _teach_head(self, lesson: Lesson, module: nn.Module) -> None:
        """Train the last layer on features, also of mirror images if images are mirrored later."""
        from cvpipe.nets.heads import head_of, headless
        from cvpipe.nets.pixels import HeldPixels
        from cvpipe.nets.recipe import Ties
        from cvpipe.nets.trainer import Examples

        lower = headless(module)
        views = [False, True] if lesson.stage.strengths().get("flip") else [False]
        values = np.concatenate([lesson.features(lower, mirrored) for mirrored in views])
        examples = Examples(HeldPixels(values, lesson.place), np.tile(lesson.examples.targets, len(views)))
        recipe = self.recipe(lesson.place, epochs=self.head_epochs, optimiser="adam", rate=HEAD_RATE, augment={},
                             patience=0, compiled=False)  # fmt: skip
        head = module.get_submodule(head_of(module))
        quiet = Ties()  # a quick phase, not worth a checkpoint
        numbers = lesson.teach(head, recipe, examples=examples, validation=None, ties=quiet)
        fitting.note(f"new last layer: accuracy {100 * numbers['accuracy'][-1]:.2f} % on training images")

    def _teach(
        self, lesson: Lesson, module: nn.Module, first: str, phase: int, history: dict[str, list[float]]
    ) -> dict[str, list[float]]:
        """Train the layer `first` and all above it."""
        from cvpipe.nets.heads import falling_rates, thaw, train_thawed

        thaw(module, first)
        fitting.note(f"training '{first}' and the layers above it")
        recipe = self.recipe(lesson.place, factors=falling_rates(module, self.rate_fall))
        return lesson.teach(module, recipe, prepare=train_thawed, phase=str(phase), earlier=history)

    def _steps(self, module: nn.Module) -> tuple[str, ...]:
        from cvpipe.nets.heads import layers_with_weights

        layers = layers_with_weights(module)
        return self.unfreeze or (layers[-max(len(layers) // 3, 1)],)

    def _unknown_layers(self) -> list[str]:
        """Steps that are no top-level layers of the network; imports torch only if there are any."""
        if not self.unfreeze:
            return []
        from cvpipe.nets.heads import layers_with_weights

        side = self._side()
        layers = layers_with_weights(self._net(Frame(side, side, 3), 2, 0))
        return [
            f"unfreeze: network '{self.net}' has no layer '{name}'"
            + (did_you_mean(name, layers) or f"; it has {listed(layers, 'and')}")
            for name in self.unfreeze
            if name not in layers
        ]

    def _look(self) -> Look:
        """The scaling that the weights were trained with."""
        from cvpipe.nets.learning import Look
        from cvpipe.nets.weights import scaling_of

        scaling = scaling_of(self.weights)
        return Look.of(*(np.array(values, np.float32) / 255 * np.ones(3, np.float32)
                         for values in (scaling.mean, scaling.deviation)))  # fmt: skip

    def _side(self) -> int:
        from cvpipe.nets.table import NETS

        return self.size or (NETS[self.net].side if self.net in NETS else 224)
