"""The thousand classes of ImageNet, for one's own photographs: a classifier that was trained elsewhere."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Images, Predictions
from cvpipe.stage import Classifier
from cvpipe.stages.networks._frozen import FrozenNet
from cvpipe.vision.fit_square import Fit


class ImagenetClasses(FrozenNet, Classifier):
    """What a network that was trained on ImageNet sees in a photograph.

    Takes RGB images, of which it sees the largest square around the centre, gives (n, 1000) probabilities that add up
    to 1. The names of the classes are torchvision's. There is nothing to fit.

    Source: Russakovsky et al., "ImageNet large scale visual recognition challenge", IJCV 2015; the network: see
    `cvpipe.nets.efficientnet_lite`.
    """

    layers: tuple[str, ...] = ("out",)  # the scores
    shape: Fit = "crop"  # as the network was tested

    gives_probabilities = True

    def known(self) -> ImagenetClasses:
        """The classifier, with the names of its classes."""
        from torchvision.models import ResNet18_Weights

        self.classes_ = np.array(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
        return self

    def predict(self, images: Images) -> Predictions:  # type: ignore[override]
        """n images -> (n, 1000) float32 probabilities."""
        parts = [output for (output,), _ in self._outputs(images, lambda scores: scores.softmax(1))]
        scores = np.concatenate([np.empty((0, len(self.classes_)), np.float32), *parts])
        return Predictions(scores=scores, classes=self.classes_)
