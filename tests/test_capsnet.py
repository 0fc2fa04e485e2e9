"""Capsules, against the equations and the procedure of the paper written in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cvpipe.nets.build import build
from cvpipe.nets.capsnet import ClassCapsules, squash


def squashed(s: np.ndarray) -> np.ndarray:
    """Equation 1."""
    square = (s**2).sum(-1, keepdims=True)
    return square / (1 + square) * s / np.sqrt(square)


def routed(votes: np.ndarray, iterations: int) -> np.ndarray:
    """Procedure 1 for one image: votes (capsules, classes, width) -> (classes, width)."""
    b = np.zeros(votes.shape[:2])
    for iteration in range(iterations):
        c = np.exp(b) / np.exp(b).sum(1, keepdims=True)
        v = squashed((c[..., None] * votes).sum(0))
        if iteration < iterations - 1:
            b += (votes * v).sum(-1)
    return v


def tiny(**options: Any) -> Any:
    torch.manual_seed(0)
    return build("capsnet", classes=3, channels=1, size=(20, 20), maps=8, kinds=2, **options)


def test_squashing_keeps_directions_and_bounds_lengths() -> None:
    x = torch.tensor([[3.0, 4.0], [0.03, 0.04], [0.0, 0.0]], dtype=torch.float64)
    assert squash(x)[0].norm().item() == pytest.approx(25 / 26)
    np.testing.assert_allclose(squash(x)[:2], squashed(x[:2].numpy()), rtol=1e-6)
    assert not squash(x)[2].any()


@pytest.mark.parametrize("iterations", [1, 3])
def test_routing_is_the_procedure_of_the_paper(iterations: int) -> None:
    torch.manual_seed(1)
    layer = ClassCapsules(6, 4, 3, 5, iterations).double()
    x = torch.randn(2, 6, 4, dtype=torch.float64)
    votes = np.einsum("nij,ijk->nik", x, layer.weight.detach()).reshape(2, 6, 3, 5)
    want = np.stack([routed(v, iterations) for v in votes])
    np.testing.assert_allclose(layer(x).detach(), want, rtol=1e-5)


def test_scores_are_lengths_and_the_loss_is_the_papers() -> None:
    net = tiny()
    images, targets = torch.rand(4, 1, 20, 20), torch.tensor([0, 2, 1, 0])
    lengths = net(images)
    np.testing.assert_allclose(lengths.detach(), net.capsules.detach().norm(dim=-1), rtol=1e-4)
    v, t = lengths.detach().numpy(), np.eye(3)[targets]
    margin = t * np.maximum(0, 0.9 - v) ** 2 + 0.5 * (1 - t) * np.maximum(0, v - 0.1) ** 2  # equation 4
    drawn = net.reconstruct(net.capsules, targets)
    error = ((drawn - images) ** 2).flatten(1).sum(1).detach().numpy()
    want = (margin.sum(1) + 0.0005 * error).mean()
    assert net.loss(lengths, targets, images).item() == pytest.approx(want, rel=1e-5)
    shares = torch.nn.functional.one_hot(targets, 3).float()
    torch.testing.assert_close(net.loss(lengths, shares, images), net.loss(lengths, targets, images))


def test_without_a_decoder_only_margins_count() -> None:
    net = tiny(decoder=False)
    images, targets = torch.rand(2, 1, 20, 20), torch.tensor([0, 1])
    lengths = net(images)
    assert net.loss(lengths, targets, images) == net.loss(lengths, targets, images * 0)
    with pytest.raises(ValueError, match="without a decoder"):
        net.reconstruct(net.capsules, targets)


def test_only_the_chosen_capsule_is_drawn() -> None:
    net = tiny()
    capsules = torch.randn(1, 3, 16)
    other = capsules.clone()
    other[:, [0, 2]] = 5
    chosen = torch.tensor([1])
    assert torch.equal(net.reconstruct(capsules, chosen), net.reconstruct(other, chosen))
    assert net.reconstruct(capsules, chosen).shape == (1, 1, 20, 20)


def test_every_weight_gets_a_gradient() -> None:
    net = tiny()
    images = torch.rand(2, 1, 20, 20)
    net.loss(net(images), torch.tensor([0, 1]), images).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.parameters())
