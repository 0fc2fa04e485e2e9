"""What the stages with a network that is not trained share: options, checks, and batches through the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from annotated_types import MinLen

from cvpipe import device
from cvpipe.data import Images
from cvpipe.nets.build import side_of, size_problem
from cvpipe.nets.table import net_problem
from cvpipe.nets.weight_files import look_of
from cvpipe.nets.weights import content, is_file, scaling_of, weights_problem
from cvpipe.options import Count, PathOrWord, Seed
from cvpipe.stages.networks._named import NamedNet
from cvpipe.vision.fit_square import Fit, fit_square

if TYPE_CHECKING:
    from torch import Tensor

    from cvpipe.nets.frozen import Recipe

PIXELS = 4 * 224 * 224
"""Pixels that go through a network at a time on a CPU: more leave its caches and take longer for each image."""


class FrozenNet(NamedNet):
    """A network with given weights, and some of its layers."""

    net: str = "efficientnet_lite0"  # see docs/networks.md; package.Class, timm:NAME
    # lite0, none (random), NETWORK.RECIPE of torchvision, timm, or a file: a state dict, *_cnn.safetensors
    weights: PathOrWord = "lite0"
    # names, see `cvpipe stages cnn_features --layers NET`; null is the last one before the scores
    layers: Annotated[tuple[str, ...], MinLen(1)] | None = None
    size: Count | None = None  # px, side of what the network sees; null is that of its training or its paper
    shape: Fit = "stretch"  # the whole image whatever its aspect; crop is the largest square in the middle
    channels: Literal["rgb", "grey"] = "rgb"  # what the network sees
    options: dict[str, Any] | None = None  # of the network
    seed: Seed = None  # of random weights

    def conflicts(self) -> list[str]:
        """A network, weights or layers that do not exist. Imports torch only if layers are named."""
        options = self.options or {}
        found = net_problem(self.net, options) or weights_problem(self.net, self.weights)
        found = found or size_problem(self.net, (self._side(), self._side()), options)
        if found or not self.layers:
            return [found] if found else []
        from cvpipe.nets.frozen import layer_problems

        return layer_problems(self._recipe(""))

    def reads(self) -> list[Path]:
        """The file with the weights, if that is where they are."""
        return [Path(self.weights)] if is_file(self.weights) else []

    def _side(self) -> int:
        look = look_of(Path(self.weights)) if is_file(self.weights) and not self.size else None
        return self.size or (look[2] if look else side_of(self.net))

    def _recipe(self, digest: str) -> Recipe:
        from cvpipe.nets.frozen import Recipe

        options = {name: tuple(v) if isinstance(v, list) else v for name, v in (self.options or {}).items()}
        layers = tuple(self.layers or ())
        return Recipe(
            self.net,
            self.weights,
            digest,
            layers,
            1 if self.channels == "grey" else 3,
            self._side(),
            tuple(sorted(options.items())),
            self.seed or 0,
        )

    def _outputs(
        self, images: Images, keep: Callable[[Tensor], Tensor]
    ) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
        """For a few images at a time: what `keep` makes of each layer's output, and (n, 2) heights and widths, px."""
        import torch

        from cvpipe.nets.frozen import frozen
        from cvpipe.nets.threads import one_thread

        place, recipe = device.current(), self._recipe(content(self.weights))
        taps, scaling = frozen(recipe, place), scaling_of(self.weights, self.net)
        mean, deviation = (
            torch.tensor(values, device=place).view(1, -1, 1, 1)
            for values in (scaling.mean, scaling.deviation)
        )
        step = max(1, PIXELS // recipe.side**2) if place == "cpu" else len(images)
        for first in range(0, len(images), step):
            pixels, sizes = self._pixels(images[first : first + step], recipe.side)
            # (n, h, w, c) in memory, as the network computes it; named (n, c, h, w), as torch wants it.
            batch = torch.from_numpy(pixels).to(place).permute(0, 3, 1, 2).float()
            with one_thread(), torch.inference_mode():
                found = taps(batch.sub_(mean).div_(deviation), keep)
            yield [output.cpu().numpy() for output in found], sizes

    def _pixels(self, images: Images, side: int) -> tuple[np.ndarray, np.ndarray]:
        """(n, side, side, channels) uint8, and the sizes that the images had."""
        import cv2

        pixels, sizes = [], []
        for image in images:
            square = fit_square(image, side, self.shape)
            pixels.append(
                square if self.channels == "rgb" else cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)[..., None]
            )
            sizes.append(image.shape[:2])
        return np.stack(pixels), np.array(sizes, np.int32)

    def _shapes(self) -> list[tuple[int, ...]]:
        """The shape of what each layer gives for one image: (C, h, w), (rows, C) or (C,)."""
        from cvpipe.nets.frozen import dry_run, layers_of

        recipe = self._recipe("")
        return [dry_run(recipe).shapes[name] for name in layers_of(recipe)]
