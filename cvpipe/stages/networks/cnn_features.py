"""Features from layers of a network that was trained elsewhere."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np

from cvpipe.data import Features, Images
from cvpipe.stages.networks._frozen import FrozenNet

if TYPE_CHECKING:
    from torch import Tensor


class CnnFeatures(FrozenNet):
    """What layers of a network give for an image, as one vector: the features of transfer learning.

    Takes RGB images of any size, resized to `size` x `size` px, gives (n, D) float32. The maps of a layer become one
    number each by `pool`; several layers stand one after the other. Grey images become RGB with equal channels. With
    the default, 1,280 values in [0, 6]. Raises `DataError` for weights that are damaged or do not fit.

    Source: Sharif Razavian et al., "CNN features off-the-shelf: an astounding baseline for recognition", CVPR
    workshops 2014; the default network: see `cvpipe.nets.efficientnet_lite`.
    """

    pool: Literal["mean", "max", "flatten"] = "mean"  # over the positions of a map; flatten keeps them all
    balance: bool = False  # the part of each layer divided by its length, so that all layers weigh the same

    def transform(self, images: Images) -> Features:
        """n images -> (n, D) float32."""
        parts = [np.concatenate(layers, axis=1) for layers, _ in self._outputs(images, self._part)]
        return Features(values=np.concatenate(parts) if parts else np.zeros((0, self._width()), np.float32))

    def _part(self, output: Tensor) -> Tensor:
        """(n, …) output of a layer -> (n, D)."""
        from torch.nn.functional import normalize

        pooled = self._pooled(output)
        return normalize(pooled, dim=1) if self.balance else pooled

    def _pooled(self, output: Tensor) -> Tensor:
        """(n, C), (n, C, h, w) or (n, rows, C) -> (n, D)."""
        if output.ndim <= 2 or self.pool == "flatten":
            return output.flatten(1).clone()
        flat = output.flatten(2) if output.ndim == 4 else output.transpose(1, 2)
        return flat.mean(2) if self.pool == "mean" else flat.amax(2)

    def _width(self) -> int:
        if self.pool == "flatten":
            return sum(prod(shape) for shape in self._shapes())
        return sum(shape[-1] if len(shape) == 2 else shape[0] for shape in self._shapes())
