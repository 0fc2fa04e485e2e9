"""Capsules: groups of units whose length says whether a thing is there, and whose direction says how."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

PRESENT, ABSENT, DOWN = 0.9, 0.1, 0.5
"""Margins of the loss, and the weight of absent classes: the paper's equation 4."""
RECONSTRUCTION = 0.0005
"""The weight of the squared error of all pixels: section 4.1."""


def squash(x: Tensor) -> Tensor:
    """Shrink vectors along the last axis to lengths in [0, 1), directions unchanged: equation 1."""
    square = x.square().sum(-1, keepdim=True)
    return x * (square / (1 + square) / (square + 1e-9).sqrt())


class PrimaryCapsules(nn.Module):
    """A convolution whose maps are taken as vectors."""

    def __init__(self, inputs: int, kinds: int, width: int, kernel: int) -> None:
        super().__init__()
        self.width = width
        self.conv = nn.Conv2d(inputs, kinds * width, kernel, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) -> (n, capsules, width), squashed; a vector is `width` neighbouring maps of one place."""
        maps = self.conv(x)
        n, _, height, width = maps.shape
        return squash(
            maps.view(n, -1, self.width, height, width).permute(0, 1, 3, 4, 2).reshape(n, -1, self.width)
        )


class ClassCapsules(nn.Module):
    """One vector for each class, by routing: capsules whose predictions agree are listened to."""

    def __init__(self, capsules: int, inputs: int, classes: int, width: int, iterations: int) -> None:
        super().__init__()
        self.classes, self.width, self.iterations = classes, width, iterations
        self.weight = nn.Parameter(0.1 * torch.randn(capsules, inputs, classes * width))

    def fans(self) -> tuple[float, float]:
        """Inputs of a unit of a vote, and outputs of an input, each of one capsule."""
        return self.weight.shape[1], self.weight.shape[2]

    def forward(self, x: Tensor) -> Tensor:
        """(n, capsules, inputs) -> (n, classes, width); procedure 1 of the paper.

        What agrees is found without gradients, as is usual; they flow through the last sum.
        """
        votes = torch.bmm(x.transpose(0, 1), self.weight).view(
            len(self.weight), len(x), self.classes, self.width
        )
        votes = votes.transpose(0, 1)  # (n, capsules, classes, width)
        still = votes.detach()
        logits = still.new_zeros(still.shape[:3])
        for _ in range(self.iterations - 1):
            heard = squash(torch.einsum("nic,nicw->ncw", logits.softmax(2), still))
            logits = logits + torch.einsum("nicw,ncw->nic", still, heard)
        return squash(torch.einsum("nic,nicw->ncw", logits.softmax(2), votes))


class CapsNet(nn.Module):
    """A convolution, primary capsules, class capsules, and a decoder that draws the image from one of them.

    Images have to be in [0, 1], as the decoder draws them. With 28x28 grey pixels and ten classes 8,215,568 parameters,
    6,804,224 without the decoder.

    Source: Sabour, Frosst & Hinton, "Dynamic routing between capsules", NIPS 2017, sections 2 to 4.
    """

    def __init__(
        self,
        classes: int,
        channels: int,
        size: tuple[int, int],
        maps: int,
        kinds: int,
        routing: int,
        decoder: bool,
    ) -> None:
        super().__init__()
        self.shape = (channels, *size)
        self.conv1 = nn.Conv2d(channels, maps, 9)
        self.primary = PrimaryCapsules(maps, kinds, 8, 9)
        places = prod((side - 8 - 9) // 2 + 1 for side in size)
        self.digits = ClassCapsules(kinds * places, 8, classes, 16, routing)
        pixels = prod(self.shape)
        draw = [nn.Linear(16 * classes, 512), nn.ReLU(), nn.Linear(512, 1024), nn.ReLU()]
        self.decoder = nn.Sequential(*draw, nn.Linear(1024, pixels), nn.Sigmoid()) if decoder else None
        self.capsules: Tensor | None = None
        """(n, classes, 16) of the last forward pass."""

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) in [0, 1] -> (n, classes) lengths of the class capsules, in [0, 1)."""
        self.capsules = self.digits(self.primary(functional.relu(self.conv1(x))))
        return (self.capsules.square().sum(-1) + 1e-9).sqrt()

    def reconstruct(self, capsules: Tensor, classes: Tensor) -> Tensor:
        """(n, classes, 16) capsules, (n,) which of them -> (n, channels, h, w) in [0, 1]."""
        if self.decoder is None:
            raise ValueError("this network was built without a decoder")
        mask = functional.one_hot(classes, capsules.shape[1]).to(capsules.dtype)
        return self.decoder((capsules * mask[..., None]).flatten(1)).view(-1, *self.shape)

    def loss(self, scores: Tensor, targets: Tensor, images: Tensor) -> Tensor:
        """The margin loss (equation 4), a mean over images, plus 0.0005 times the squared error of reconstruction.

        `targets` are (n,) class numbers, or (n, classes) shares, whose largest is drawn.
        """
        shares = (
            targets if targets.ndim == 2 else functional.one_hot(targets, scores.shape[1]).to(scores.dtype)
        )
        present, absent = (PRESENT - scores).clamp(min=0).square(), (scores - ABSENT).clamp(min=0).square()
        margin = (shares * present + DOWN * (1 - shares) * absent).sum(1).mean()
        if self.decoder is None or self.capsules is None:
            return margin
        drawn = self.reconstruct(self.capsules, shares.argmax(1))
        return margin + RECONSTRUCTION * (drawn - images).square().flatten(1).sum(1).mean()


def capsnet(
    classes: int, channels: int, size: tuple[int, int], maps: int, kinds: int, routing: int, decoder: bool
) -> nn.Module:
    """See `CapsNet`; `maps` of the first convolution, `kinds` of primary capsules, `routing` iterations."""
    return CapsNet(classes, channels, size, maps, kinds, routing, decoder)
