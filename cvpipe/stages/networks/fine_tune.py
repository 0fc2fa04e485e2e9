"""A network that learned elsewhere goes on learning on one's own images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from cvpipe import fitting
from cvpipe.data import Images, Predictions
from cvpipe.options import Count
from cvpipe.stage import Classifier
from cvpipe.stages.classifiers._training import classes_of
from cvpipe.stages.networks._lesson import Lesson
from cvpipe.stages.networks._network import Network
from cvpipe.stages.networks._options import Trained
from cvpipe.stages.networks._pretrained import Pretrained

if TYPE_CHECKING:
    from torch import nn

HEAD_RATE = 1e-3
"""Learning rate of the new last layer, with adam (Kingma & Ba 2015)."""


class FineTune(Trained, Pretrained, Network, Classifier):
    """A network with weights from another task, its last layer new, trained from the top down.

    First the new last layer learns alone, from features that are computed once. Then, for each layer in `unfreeze`,
    that layer and all above it learn for `epochs` epochs, lower ones more slowly; what lies below keeps its weights,
    and batch normalisation its running means. Takes RGB images of any size, gives (n, k) float32 probabilities, which
    sum to 1. Raises `RunError` without labels or with one class only, `DataError` for weights that are damaged or of
    another network.

    Source: Yosinski, Clune, Bengio & Lipson, "How transferable are features in deep neural networks?", NIPS 2014;
    Howard & Ruder, "Universal language model fine-tuning for text classification", ACL 2018, sections 3.2 and 3.3.
    """

    epochs: Count = 5  # passes over the training images, for each layer in `unfreeze`

    gives_probabilities = True

    def conflicts(self) -> list[str]:
        """What does not go together."""
        return [*Pretrained.conflicts(self), *Trained.conflicts(self)]

    def fit(self, images: Images, labels: np.ndarray | None = None) -> Self:
        """Train on n images and their (n,) labels."""
        from cvpipe.nets.own import check_output

        self.classes_, truth = classes_of(labels, self.name)
        lesson = Lesson(self, images, truth, self.square(), self.scaling())
        module = self.with_weights(len(self.classes_), lesson.seeds("head"))
        frame = lesson.frame
        check_output(self.net, module, len(self.classes_), frame.channels, (frame.height, frame.width))
        broken_off = fitting.load()
        done = int(broken_off[1]["phase"]) if broken_off else 0
        history: dict[str, list[float]] = dict(broken_off[1]["earlier"]) if broken_off else {}
        if not done:
            self._teach_head(lesson, module)
        for phase, first in enumerate(self.steps(module), 1):
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
        return self.random(len(self.classes_), 0)

    def _teach_head(self, lesson: Lesson, module: nn.Module) -> None:
        """Train the last layer on features, also of mirror images if images are mirrored later."""
        from cvpipe.nets.examples import Examples
        from cvpipe.nets.heads import head_of, headless
        from cvpipe.nets.pixels import HeldPixels
        from cvpipe.nets.recipe import Ties

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
