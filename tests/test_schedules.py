"""Learning-rate schedules: against torch's schedulers where it has them, against the papers' formulas where not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from cvpipe.nets.recipe import Recipe
from cvpipe.nets.schedules import NAMES, Schedule, batch_at

STEPS = 40

THEIRS: dict[str, tuple[Schedule, Callable[[Any], Any]]] = {
    "constant": (Schedule("constant"), lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    "step": (Schedule("step", decay=0.3, every=7), lambda o: lr_scheduler.StepLR(o, 7, 0.3)),
    "multi_step": (
        Schedule("multi_step", decay=0.2, milestones=(0.25, 0.5)),
        lambda o: lr_scheduler.MultiStepLR(o, [10, 20], 0.2),
    ),
    "two_step": (Schedule("two_step"), lambda o: lr_scheduler.MultiStepLR(o, [20, 30], 0.1)),
    "exponential": (Schedule("exponential", decay=0.9), lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "inverse_time": (
        Schedule("inverse_time", decay=0.5),
        lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + 0.5 * t)),
    ),
    "polynomial": (Schedule("polynomial", decay=3), lambda o: lr_scheduler.PolynomialLR(o, STEPS, 3)),
    "cosine": (Schedule("cosine"), lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS)),
}


def of_torch(make: Callable[[Any], Any]) -> list[float]:
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, found = make(optimiser), []
    for _ in range(STEPS):
        found.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    return found


@pytest.mark.parametrize("name", THEIRS)
def test_schedules_are_torchs(name: str) -> None:
    schedule, make = THEIRS[name]
    assert schedule.name == name
    ours = [schedule.factor(t, STEPS) for t in range(STEPS)]
    np.testing.assert_allclose(ours, of_torch(make), rtol=1e-9, atol=1e-12)


def test_one_cycle_is_torchs_up_to_where_its_peak_falls() -> None:
    # torch counts the rise from step 0 to 0.3 * total - 1 and the fall to total - 1: the same curve, one step shorter.
    theirs = of_torch(lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=STEPS))
    ours = [Schedule("one_cycle").factor(t, STEPS) for t in np.linspace(0, 1, STEPS) * STEPS]
    assert ours[0] == pytest.approx(theirs[0])
    assert ours[-1] == pytest.approx(theirs[-1])
    rise = 0.3 * STEPS
    for t in range(11):
        want = 1 + (1 / 25 - 1) * (1 + math.cos(math.pi * t / (rise - 1))) / 2
        assert theirs[t] == pytest.approx(want)
        assert Schedule("one_cycle").factor(t * rise / (rise - 1), STEPS) == pytest.approx(want)


def test_the_tanh_decay_is_equation_3_of_hsueh() -> None:
    for t in (0, 13, 26, 39):
        want = (1 - math.tanh(-6 + 9 * t / STEPS)) / 2
        assert Schedule("tanh").factor(t, STEPS) == pytest.approx(want)
    assert Schedule("tanh").factor(0, STEPS) == pytest.approx(1, abs=1e-4)
    assert Schedule("tanh").factor(STEPS * 2 / 3, STEPS) == pytest.approx(0.5)


@pytest.mark.parametrize("name", NAMES)
def test_warm_up_rises_from_zero_before_any_schedule(name: str) -> None:
    plain, warm = Schedule(name), Schedule(name, warm_up=5)
    assert warm.factor(0, STEPS) == 0
    assert warm.factor(2.5, STEPS) == pytest.approx(plain.factor(2.5, STEPS) / 2)
    assert warm.factor(5, STEPS) == plain.factor(5, STEPS)
    assert 0 < plain.factor(0, STEPS) <= 1


def test_the_batch_grows_instead_of_the_rate_falling() -> None:
    # Smith et al. 2018, figure 1: a rate that falls by 5 becomes a batch that grows by 5, up to a tenth of the images.
    schedule = Schedule("step", decay=0.2, every=2)
    plan = Recipe(epochs=6, batch=10, schedule=schedule, grow_batch=True).plan(1000)
    assert [batch for batch, _ in plan] == [10, 10, 50, 50, 100, 100]
    assert [steps for _, steps in plan] == [100, 100, 20, 20, 10, 10]
    assert batch_at(64, 1.0, 100) == 64  # never smaller than it was


def test_a_batch_that_is_not_full_is_left_out_unless_it_is_all() -> None:
    assert Recipe(epochs=1, batch=32).plan(100) == [(32, 3)]
    assert Recipe(epochs=1, batch=128).plan(100) == [(100, 1)]
    assert Recipe(epochs=1, batch=0).plan(100) == [(100, 1)]
    assert Recipe(epochs=2, batch=1).plan(3) == [(1, 3), (1, 3)]
