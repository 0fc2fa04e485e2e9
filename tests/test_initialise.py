"""How weights begin: the spread that each scheme promises."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from cvpipe.nets.build import build
from cvpipe.nets.initialise import initialise

CONV = (64, 48, 5, 5)
INPUTS, OUTPUTS = 48 * 25, 64 * 25


def drawn(scheme: str, seed: int = 0) -> nn.Sequential:
    net = nn.Sequential(nn.Conv2d(48, 64, 5), nn.BatchNorm2d(64), nn.Linear(300, 400))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.fill_(7)
    initialise(net, scheme, torch.Generator().manual_seed(seed))  # type: ignore[arg-type]
    return net


@pytest.mark.parametrize(
    ("scheme", "std"),
    [
        ("normal", 0.01),
        ("lecun", math.sqrt(1 / INPUTS)),
        ("he", math.sqrt(2 / INPUTS)),
        ("xavier", math.sqrt(2 / (INPUTS + OUTPUTS))),
    ],
)
def test_weights_have_the_spread_of_the_paper(scheme: str, std: float) -> None:
    weight = drawn(scheme)[0].weight
    assert weight.std().item() == pytest.approx(std, rel=0.02)
    assert abs(weight.mean().item()) < std / 50
    if scheme == "xavier":
        assert weight.abs().max().item() <= math.sqrt(6 / (INPUTS + OUTPUTS))


def test_zeros_are_zeros_and_orthogonal_rows_are_orthogonal() -> None:
    assert not drawn("zeros")[0].weight.any()
    dense = drawn("orthogonal")[2].weight
    torch.testing.assert_close(dense.T @ dense, torch.eye(300), atol=1e-5, rtol=0)


@pytest.mark.parametrize("scheme", ["zeros", "normal", "lecun", "xavier", "he", "orthogonal"])
def test_biases_are_zero_normalisations_do_nothing_and_a_seed_repeats(scheme: str) -> None:
    net = drawn(scheme)
    assert not any(net[i].bias.any() for i in (0, 1, 2))
    assert net[1].weight.eq(1).all()
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), drawn(scheme).parameters(), strict=True))
    if scheme != "zeros":
        assert not torch.equal(net[0].weight, drawn(scheme, seed=1)[0].weight)


@pytest.mark.parametrize("net", ["lenet5", "capsnet", "lstm_rows", "squeezenet"])
def test_nothing_of_a_network_is_left_to_the_global_seed(net: str) -> None:
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        made = build(net, classes=3, channels=1, size=(28, 28))
        initialise(made, "he", torch.Generator().manual_seed(0))
        found.append(list(made.state_dict().values()))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_layers_of_our_own_tell_over_how_much_they_sum() -> None:
    """The mean over LeNet's partial connections: 60 maps of 5x5 for 16 units; a capsule's vote sums 8 numbers."""
    lenet: Any = build("lenet5", classes=10, channels=1, size=(28, 28))
    initialise(lenet, "he", torch.Generator().manual_seed(0))
    assert lenet.conv2.weight.std().item() == pytest.approx(math.sqrt(2 / (25 * 60 / 16)), rel=0.05)
    assert lenet.conv2.fans() == (25 * 60 / 16, 25 * 60 / 6)
    capsnet: Any = build("capsnet", classes=10, channels=1, size=(28, 28), maps=4, kinds=4)
    initialise(capsnet, "lecun", torch.Generator().manual_seed(0))
    assert capsnet.digits.weight.std().item() == pytest.approx(math.sqrt(1 / 8), rel=0.02)


def test_the_scales_of_a_subsampling_are_no_weights() -> None:
    net: Any = build("lenet5", classes=10, channels=1, size=(28, 28))
    with torch.no_grad():
        net.pool1.weight.fill_(5)
        net.pool1.bias.fill_(5)
    initialise(net, "he", torch.Generator().manual_seed(0))
    assert net.pool1.weight.eq(1).all()
    assert not net.pool1.bias.any()
    assert net.pool1.weight.ndim == 1  # so it is not decayed either
