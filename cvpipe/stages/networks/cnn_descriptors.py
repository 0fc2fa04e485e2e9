"""Each position of a network's maps as a descriptor."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import MinLen

from cvpipe.data import Descriptors, Images, offsets_of
from cvpipe.stages.networks._frozen import FrozenNet
from cvpipe.vision.fit_square import seen

if TYPE_CHECKING:
    from torch import Tensor

    from cvpipe.nets.frozen import Recipe

CELL_SIGMAS = 3
"""A cell of the map is 3 sigma wide, as a bin of SIFT is (Lowe 2004, section 6.1)."""


class CnnDescriptors(FrozenNet):
    """What a convolution of a network gives at each position of an image: descriptors for a vocabulary.

    Takes RGB images of any size, resized to `size` x `size` px, gives (M, C) float32 descriptors, row after row, of the
    one layer that `layers` names. `xy` is the centre of a position's cell in the image as it was, which the positions
    divide evenly, `scale` a third of the distance between positions, px. What a network looks at is larger, and its
    middle may lie up to half a cell beside that centre, as margins of strided convolutions have it. Raises
    `DataError` for weights that are damaged or do not fit.

    Source: Cimpoi, Maji & Vedaldi, "Deep filter banks for texture recognition and segmentation", CVPR 2015, section 3.
    """

    # one layer, of maps; null is the last one with more than one position
    layers: Annotated[tuple[str, ...], MinLen(1)] | None = None

    def conflicts(self) -> list[str]:
        """More than one layer, or one without positions."""
        found = super().conflicts()
        if found:
            return found
        if len(self.layers or ()) > 1:
            return [
                f"descriptors come from one layer, got {len(self.layers or ())}: give each a branch of its own"
            ]
        if len(self._shapes()[0]) != 3:
            return [
                f"network '{self.net}' has no positions in layer {self.layers}, but numbers for the whole image"
            ]
        return []

    def _recipe(self, digest: str) -> Recipe:
        from cvpipe.nets.frozen import dry_run

        recipe = super()._recipe(digest)
        if recipe.layers:
            return recipe
        maps = [
            name for name, shape in dry_run(recipe).shapes.items() if len(shape) == 3 and prod(shape[1:]) > 1
        ]
        return replace(recipe, layers=tuple(maps[-1:]))

    def transform(self, images: Images) -> Descriptors:
        """n images -> (M, C) float32, M the positions of n maps."""
        channels, height, width = self._shapes()[0]
        found = [(maps, sizes) for (maps,), sizes in self._outputs(images, rows_of)]
        sizes = np.concatenate([np.empty((0, 2), np.int32), *(sizes for _, sizes in found)])
        xy, cells = self._places(sizes, height, width)
        return Descriptors(
            offsets=offsets_of([height * width] * len(sizes)),
            values=np.concatenate(
                [np.empty((0, channels), np.float32), *(np.concatenate(m) for m, _ in found)]
            ),
            xy=xy,
            scale=np.repeat(cells / CELL_SIGMAS, height * width),
            size=sizes,
        )

    def _places(self, sizes: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        """(M, 2) centres of the positions in the images, (n,) mean distance between neighbours, px."""
        boxes = np.array(
            [seen(height, width, self.shape) for height, width in sizes.tolist()], np.float64
        ).reshape(-1, 4)
        cells = boxes[:, 2:] / (width, height)
        column, row = np.meshgrid(np.arange(width), np.arange(height))
        grid = np.stack([column, row], axis=-1).reshape(1, -1, 2) + 0.5
        xy = boxes[:, None, :2] + grid * cells[:, None] - 0.5
        return xy.reshape(-1, 2).astype(np.float32), cells.mean(axis=1).astype(np.float32)


def rows_of(output: Tensor) -> Tensor:
    """(n, C, h, w) -> (n, h * w, C)."""
    return output.flatten(2).transpose(1, 2).clone()
