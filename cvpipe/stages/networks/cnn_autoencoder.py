"""Features that a network finds without labels, by giving images back from a short code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from annotated_types import MinLen

from cvpipe.data import Features, Images
from cvpipe.options import Count
from cvpipe.stage import Learner
from cvpipe.stages.networks._frame import Frame, frame_of, sides
from cvpipe.stages.networks._lesson import Lesson
from cvpipe.stages.networks._network import Network
from cvpipe.stages.networks._options import Seen, Trained

if TYPE_CHECKING:
    from torch import nn


class CnnAutoencoder(Trained, Seen, Network, Learner):
    """The code of a convolutional autoencoder: numbers from which a network can draw the image again.

    Takes RGB images of any size, made `size` px and grey or colour as `channels` says, gives (n, code) float32. Learns
    from training images without their labels, to keep the mean squared difference of pixels small; augmented images are
    to be given back as they were augmented. Raises `RunError` when the loss is no number any more.

    Source: Masci, Meier, Cireşan & Schmidhuber, "Stacked convolutional auto-encoders for hierarchical feature
    extraction", ICANN 2011; Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
    2006.
    """

    widths: Annotated[tuple[Count, ...], MinLen(1)] = (
        16,
        32,
    )  # channels of each convolution, each halves the sides
    code: Count = 64  # numbers that an image becomes

    def conflicts(self) -> list[str]:
        """What does not go together."""
        found = super().conflicts()
        smallest = 2 ** len(self.widths)
        if self.size != "auto" and min(sides(self.size)) < smallest:
            height, width = sides(self.size)
            found.append(
                f"stage '{self.name}': {len(self.widths)} convolutions that halve the sides need images of at least "
                f"{smallest} x {smallest} px, got {width} x {height} px"
            )
        return found

    def fit(self, images: Images, labels: np.ndarray | None = None) -> Self:
        """Train on n images; labels are not looked at."""
        frame = frame_of(images, self.size, self.channels, 2 ** len(self.widths))
        lesson = Lesson(self, images, np.zeros(len(images), np.int64), frame)
        module = self._fresh(frame, lesson.seeds("weights"))
        history = lesson.teach(module)
        self.keep(module.cpu(), frame, lesson.look, history)
        return self

    def transform(self, images: Images) -> Features:
        """(H, W, 3) uint8 RGB images -> (n, code) float32."""
        return Features(values=self.outputs(images, "encoder"))

    def build(self) -> nn.Module:
        """The network for what was learned."""
        return self._fresh(self.trained_frame(), 0)

    def _fresh(self, frame: Frame, seed: int) -> nn.Module:
        import torch

        from cvpipe.nets.conv_autoencoder import ConvAutoencoder

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return ConvAutoencoder(frame.channels, (frame.height, frame.width), self.widths, self.code)
