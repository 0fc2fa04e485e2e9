"""The restricted Boltzmann machine: contrastive divergence against ten lines of NumPy, and the stage."""

from __future__ import annotations

import numpy as np
import pytest
from filter_learning import photographs, sampler, white_patches

from cvpipe.errors import RunError
from cvpipe.stages.filters.rbm import Rbm
from cvpipe.vision.rbm import Machine, Plan, statistics, train


def machine(width: int = 6, hidden: int = 4) -> Machine:
    rng = np.random.default_rng(0)
    shapes = ((width, hidden), (hidden,), (width,))
    return Machine(*(rng.standard_normal(shape).astype(np.float32) for shape in shapes))


@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_is_contrastive_divergence(steps: int) -> None:
    rbm, rows = machine(), np.random.default_rng(1).standard_normal((50, 6)).astype(np.float32)
    draws = np.random.default_rng(7)
    first = chance = 1 / (1 + np.exp(-(rows @ rbm.weights + rbm.hidden)))
    for _ in range(steps):
        h = draws.random(chance.shape, dtype=np.float32) < chance
        v = h @ rbm.weights.T + rbm.visible
        chance = 1 / (1 + np.exp(-(v @ rbm.weights + rbm.hidden)))
    step, active, made = statistics(rbm, rows, steps, np.random.default_rng(7))
    np.testing.assert_allclose(step.weights, (rows.T @ first - v.T @ chance) / 50, atol=1e-5)
    np.testing.assert_allclose(step.hidden, (first - chance).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(step.visible, (rows - v).mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(active, first.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(made, v, atol=1e-5)


def test_training_follows_the_gradient_of_the_likelihood() -> None:
    """With so few hidden units the likelihood can be summed over all their states."""
    rng = np.random.default_rng(2)
    rows = (rng.choice([-2, 2], (2000, 1)) * np.array([1, 1, -1, 0]) + rng.standard_normal((2000, 4))).astype(
        np.float32
    )

    def likelihood(rbm: Machine) -> float:
        states = np.array(np.meshgrid(*[[0, 1]] * 3)).reshape(3, -1).T
        means = states @ rbm.weights.T + rbm.visible
        # p(h) is proportional to exp(b.h + |W h + c|^2 / 2)
        log = states @ rbm.hidden + np.square(means).sum(axis=1) / 2
        share = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
        density = np.exp(-np.square(rows[:, None] - means).sum(axis=2) / 2) / (2 * np.pi) ** 2
        return float(np.log(density @ share).mean())

    def trained(epochs: int) -> Machine:
        return train(rows, 3, Plan(epochs, 50, 1, 0.02, 0.0, 0.5, 0.0), np.random.default_rng(0))[0]

    gaussian = -0.5 * np.square(rows).sum(axis=1).mean() - 2 * np.log(2 * np.pi)
    assert likelihood(trained(1)) < likelihood(trained(30))
    assert likelihood(trained(30)) > gaussian + 1


def fitted(**options: object) -> Rbm:
    small = {"filters": 16, "patches": sampler(), "seed": 0, "epochs": 3}
    stage = Rbm(**small | options)  # type: ignore[arg-type]
    return stage.fit(stage.sampler.transform(photographs()))


def test_codes_are_probabilities_of_the_hidden_units() -> None:
    stage, images = fitted(), photographs(1, seed=4)
    z = white_patches(stage, images[0]).astype(np.float64) @ stage.filters_.T + stage.bias_
    got = stage.transform(images).values[0, :16]
    np.testing.assert_allclose(got, (1 / (1 + np.exp(-z))).mean(axis=0), atol=1e-4)


def test_units_are_about_as_active_as_wanted_and_errors_fall() -> None:
    stage = fitted(rho=0.2, epochs=15)
    assert stage.use_.mean() == pytest.approx(0.2, abs=0.06)
    assert stage.errors_[-1] < stage.errors_[0]
    assert len(stage.exhibits()) == 3


def test_one_that_diverges_says_what_to_change() -> None:
    with pytest.raises(RunError, match=r"rbm: the machine diverged: .* lower `learning_rate` \(now 1e\+06\)"):
        fitted(learning_rate=1e6)
