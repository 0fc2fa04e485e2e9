"""GoogLeNet: torchvision's, with its two auxiliary heads while it trains."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import GoogLeNet

AUXILIARY = 0.3
"""The weight of each auxiliary loss: Szegedy et al. 2015, section 5."""


class WithAuxiliaryHeads(GoogLeNet):
    """Gives scores only; those of the auxiliary heads are kept for the loss."""

    def forward(self, x: Tensor) -> Any:
        """(n, channels, h, w) -> (n, classes)."""
        scores, self.second, self.first = self._forward(x)
        return scores

    def loss(self, scores: Tensor, targets: Tensor, images: Tensor, label_smoothing: float = 0.0) -> Tensor:
        """The cross-entropy, plus 0.3 times that of each auxiliary head."""
        heads = [head for head in (self.first, self.second) if head is not None]
        whole, *extra = (
            functional.cross_entropy(each, targets, label_smoothing=label_smoothing)
            for each in (scores, *heads)
        )
        return whole + AUXILIARY * sum(extra)


def googlenet(classes: int, channels: int, size: tuple[int, int], auxiliary: bool) -> nn.Module:
    """22 layers of inception blocks, with batch normalisation and torchvision's layer names.

    torchvision's 5x5 branches are of 3x3, as in TensorFlow's, hence its 6,624,904 parameters without auxiliary heads.

    Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015, table 1.
    """
    net = WithAuxiliaryHeads(num_classes=classes, aux_logits=auxiliary, init_weights=False)
    if channels != 3:
        net.conv1.conv = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
    return net
