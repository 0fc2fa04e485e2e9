"""A convolutional autoencoder: images to a short code, and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


class ConvAutoencoder(nn.Module):
    """For each width a convolution (3x3), ReLU and 2x2 max-pooling, then a dense layer to the code; and all of it
    mirrored, with pooling replaced by doubling. The last layer is linear: behind a sigmoid, dark images taught nothing.

    Source: Masci, Meier, Cireşan & Schmidhuber, "Stacked convolutional auto-encoders for hierarchical feature
    extraction", ICANN 2011, sections 2.2 and 2.3 (max-pooling makes the features sparse).
    """

    def __init__(self, channels: int, size: tuple[int, int], widths: Sequence[int], code: int) -> None:
        super().__init__()
        height, width = (side // 2 ** len(widths) for side in size)
        down: list[nn.Module] = []
        for inputs, outputs in pairwise([channels, *widths]):
            down += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        numbers = widths[-1] * height * width
        self.encoder = nn.Sequential(*down, nn.Flatten(), nn.Linear(numbers, code))
        up: list[nn.Module] = [nn.Linear(code, numbers), nn.ReLU()]
        up.append(nn.Unflatten(1, (widths[-1], height, width)))
        for inputs, outputs in pairwise([*widths[::-1], channels]):
            up += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        self.decoder = nn.Sequential(*up[:-1], nn.Upsample(size))

    def forward(self, images: Tensor) -> Tensor:
        """(n, channels, height, width) -> the same shape, pixels about in [0, 1]."""
        return self.decoder(self.encoder(images))

    def loss(self, outputs: Tensor, targets: Tensor, images: Tensor) -> Tensor:
        """The mean squared difference of pixels in [0, 1]."""
        return functional.mse_loss(outputs.float(), images)
