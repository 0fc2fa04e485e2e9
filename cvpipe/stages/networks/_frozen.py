"""What the stages with a network that is not trained share: options, checks, and batches through the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import MinLen

from cvpipe.data import Images
from cvpipe.nets.table import NETS, net_problem
from cvpipe.nets.weights import content, is_file, scaling_of, weights_problem
from cvpipe.options import Count, PathOrWord, Seed
from cvpipe.stage import Stage
from cvpipe.vision.fit_square import Fit, fit_square

if TYPE_CHECKING:
    from torch import Tensor

    from cvpipe.nets.frozen import Recipe

PIXELS = 4 * 224 * 224
"""Pixels that go through a network at a time on a CPU: more leave its caches and take longer for each image."""


class FrozenNet(Stage):
    """A network with given weights, and some of its layers."""

    net: str = "efficientnet_lite0"  # a word for a network; `cvpipe stages cnn_features --layers NET` lists its layers
    weights: PathOrWord = (
        "lite0"  # lite0, none (random), NETWORK.RECIPE of torchvision, or a file with a state dict
    )
    layers: Annotated[tuple[str, ...], MinLen(1)] | None = (
        None  # names; null is the last one before the scores
    )
    size: Count | None = None  # px, side of the square that the network sees; null is that of its paper
    fit: Fit = "stretch"  # the whole image whatever its aspect; or crop, the largest square around the centre
    channels: Literal[1, 3] = 3  # 1 gives the network grey pixels
    options: dict[str, Any] | None = None  # of the network
    seed: Seed = None  # of random weights

    def conflicts(self) -> list[str]:
        """A network, weights or layers that do not exist. Imports torch only if layers are named."""
        wrong = net_problem(self.net, self.options)
        found = [text for text in (wrong, wrong or weights_problem(self.net, self.weights)) if text]
        if found or not self.layers:
            return found[:1]
        from cvpipe.nets.frozen import layer_problems

        return layer_problems(self._recipe(""))

    def reads(self) -> list[Path]:
        """The file with the weights, if that is where they are."""
        return [Path(self.weights)] if is_file(self.weights) else []

    def _recipe(self, digest: str) -> Recipe:
        from cvpipe.nets.frozen import Recipe

        options = {name: tuple(v) if isinstance(v, list) else v for name, v in (self.options or {}).items()}
        side = self.size or (NETS[self.net].side if self.net in NETS else 224)
        layers = tuple(self.layers or ())
        return Recipe(
            self.net,
            self.weights,
            digest,
            layers,
            self.channels,
            side,
            tuple(sorted(options.items())),
            self.seed or 0,
        )

    def _outputs(self, images: Images, keep: Callable[[Tensor], Tensor]) -> Iterator[list[np.ndarray]]:
        """What `keep` makes of each layer's output, for a few images at a time."""
        import torch

        from cvpipe.nets.frozen import frozen
        from cvpipe.nets.threads import one_thread

        one_thread()
        recipe = self._recipe(content(self.weights))
        taps, scaling = frozen(recipe), scaling_of(self.weights)
        mean, deviation = (
            torch.tensor(values).view(1, -1, 1, 1) for values in (scaling.mean, scaling.deviation)
        )
        step = max(1, PIXELS // recipe.side**2)
        for first in range(0, len(images), step):
            pixels = self._pixels(images[first : first + step], recipe.side)
            # (n, h, w, c) in memory, as the network computes it; named (n, c, h, w), as torch wants it.
            batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
            with torch.inference_mode():
                yield [output.numpy() for output in taps(batch.sub_(mean).div_(deviation), keep)]

    def _pixels(self, images: Images, side: int) -> np.ndarray:
        """(n, side, side, channels) uint8."""
        import cv2

        squares = [fit_square(image, side, self.fit) for image in images]
        if self.channels == 1:
            squares = [cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)[..., None] for square in squares]
        return np.stack(squares)
