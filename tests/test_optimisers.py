"""Optimisers against the formulas of their papers, written out in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cvpipe.nets import optimisers
from cvpipe.nets.moving_weights import MovingWeights
from cvpipe.nets.recipe import Recipe

RATE, MOMENTUM, DECAY, STEPS = 0.1, 0.9, 0.01, 5
START = np.array([[1.0, -2.0], [3.0, 0.5]])


def gradient(w: np.ndarray) -> np.ndarray:
    """Of w^2 / 2 + w."""
    return w + 1


def by_hand(name: str) -> np.ndarray:
    """Goodfellow et al. 2016, algorithms 8.1 to 8.7, in torch's conventions."""
    w, v, s = START.copy(), np.zeros_like(START), np.zeros_like(START)
    for t in range(1, STEPS + 1):
        g = gradient(w) + (0 if name == "adamw" else DECAY * w)
        if name == "sgd":
            w = w - RATE * g
        elif name in ("momentum", "nesterov"):
            v = g if t == 1 else MOMENTUM * v + g
            w = w - RATE * (g + MOMENTUM * v if name == "nesterov" else v)
        elif name == "adagrad":
            s = s + g**2
            w = w - RATE * g / (np.sqrt(s) + 1e-10)
        elif name == "rmsprop":
            s = 0.99 * s + 0.01 * g**2
            w = w - RATE * g / (np.sqrt(s) + 1e-8)
        else:
            w = w * (1 - RATE * DECAY) if name == "adamw" else w
            v, s = 0.9 * v + 0.1 * g, 0.999 * s + 0.001 * g**2
            w = w - RATE * (v / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)
    return w


@pytest.mark.parametrize("name", optimisers.NAMES)
def test_steps_are_those_of_the_papers(name: str) -> None:
    weight = torch.nn.Parameter(torch.from_numpy(START.copy()))
    optimiser = optimisers.make(name, {"w": weight}, rate=RATE, momentum=MOMENTUM, l2=DECAY)
    for _ in range(STEPS):
        weight.grad = torch.from_numpy(gradient(weight.detach().numpy()))
        optimiser.step()
    np.testing.assert_allclose(weight.detach().numpy(), by_hand(name), rtol=1e-6)


def test_biases_do_not_decay_and_factors_scale_the_rate() -> None:
    weight, bias, slow = (torch.nn.Parameter(torch.ones(s)) for s in ((2, 2), (2,), (2, 2)))
    made = optimisers.make(
        "sgd", {"w": weight, "b": bias, "slow": slow}, rate=1.0, l2=0.5, factors={"slow": 0.1}
    )
    optimisers.set_rate(made, 0.5)
    for p in (weight, bias, slow):
        p.grad = torch.ones_like(p)
    made.step()
    assert weight.flatten()[0].item() == pytest.approx(1 - 0.5 * 1.5)
    assert bias[0].item() == pytest.approx(1 - 0.5)
    assert slow.flatten()[0].item() == pytest.approx(1 - 0.05 * 1.5)


def moved(recipe: Recipe, gradients: list[float], steps: int = 1) -> MovingWeights:
    module = torch.nn.Linear(1, 2, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[2.0], [-2.0]]))
    weights = MovingWeights(module, recipe)
    for step in range(steps):
        weights.step([torch.tensor(gradients)[:, None]], recipe.rate, step)
    return weights


def test_l1_pulls_every_weight_to_zero_by_the_same_amount() -> None:
    weights = moved(Recipe(optimiser="sgd", rate=0.5, l1=0.2), [0.0, 0.0])
    assert weights.trained["weight"].flatten().tolist() == pytest.approx([1.9, -1.9])


def test_a_long_gradient_is_cut_to_the_limit() -> None:
    weights = moved(Recipe(optimiser="sgd", rate=1.0, clip=1.0), [30.0, 40.0])
    assert weights.trained["weight"].flatten().tolist() == pytest.approx([2 - 0.6, -2 - 0.8], abs=1e-5)


def test_the_average_follows_the_weights() -> None:
    weights = moved(Recipe(optimiser="sgd", rate=1.0, average=0.5), [1.0, 0.0], steps=3)
    mean = 2.0
    for step, weight in enumerate((1.0, 0.0, -1.0)):
        decay = min(0.5, (1 + step) / (10 + step))
        mean = decay * mean + (1 - decay) * weight
    assert weights.average["weight"][0].item() == pytest.approx(mean)
    before = weights.use_average()
    assert weights.trained["weight"][0].item() == pytest.approx(mean)
    weights.put_back(before)
    assert weights.trained["weight"][0].item() == pytest.approx(-1.0)
