"""The training loop: the same twice, with any threads, after any interruption; and what it says when it goes wrong."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cvpipe.data.seeds import derive
from cvpipe.errors import RunError
from cvpipe.nets import trainer
from cvpipe.nets.build import build
from cvpipe.nets.checks import check
from cvpipe.nets.examples import Examples
from cvpipe.nets.learning import Learning, Look
from cvpipe.nets.mixing import Mixed
from cvpipe.nets.objective import objective
from cvpipe.nets.parts import Parts
from cvpipe.nets.pixels import HeldPixels, StreamedPixels, spread
from cvpipe.nets.recipe import Recipe, Ties
from cvpipe.nets.schedules import Schedule
from cvpipe.nets.trainer import Training

CLASSES = 3


def images(count: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 8, 8, 1) uint8 stripes of three directions under noise, and their classes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, count)
    y, x = np.mgrid[:8, :8]
    waves = np.stack([np.sin(x * 1.5), np.sin(y * 1.5), np.sin((x + y) * 1.5)])
    values = 128 + 60 * waves[truth] + rng.normal(0, 25, (count, 8, 8))
    return values.clip(0, 255).astype(np.uint8)[..., None], truth


def network(*more: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), *more,
        nn.Dropout(0.2), nn.Linear(96, CLASSES),
    )  # fmt: skip


RECIPE = Recipe(
    epochs=4, batch=30, part=8, rate=5e-3, schedule=Schedule("cosine"), augment={"flip": 0.5, "crop": 0.1},
    average=0.9, l2=1e-3, clip=5.0,
)  # fmt: skip


def training(recipe: Recipe = RECIPE, module: nn.Module | None = None, **changes: Any) -> Training:
    pixels, truth = images()
    held = HeldPixels(pixels)
    look = Look(*spread(held.values))
    seeds = partial(derive, 7)
    return Training(module or network(), Examples(held, truth), recipe, seeds, look, **changes)


def watched() -> Examples:
    pixels, truth = images(40, seed=1)
    return Examples(HeldPixels(pixels), truth)


def weights(made: Training) -> dict[str, np.ndarray]:
    return {n: t.detach().numpy().copy() for n, t in made.module.state_dict().items()}


def assert_equal(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> None:
    assert got.keys() == want.keys()
    for name, array in want.items():
        np.testing.assert_array_equal(got[name], array, err_msg=name)


def test_it_learns_and_is_the_same_with_any_number_of_threads() -> None:
    made = training(replace(RECIPE, epochs=12))
    history = made.run()
    assert history.epochs["accuracy"][-1] > 0.9
    assert len(history.epochs["rate"]) == 12
    for threads in (2, 5):
        again = training(replace(RECIPE, epochs=12), threads=threads)
        assert again.run().epochs == history.epochs
        assert_equal(weights(again), weights(made))


def test_another_seed_is_another_training() -> None:
    one, other = training(), training()
    other.seeds = partial(derive, 8)
    one.run(), other.run()
    assert not np.array_equal(weights(one)["0.weight"], weights(other)["0.weight"])


def test_gradients_of_parts_are_those_of_the_whole_batch() -> None:
    pixels, truth = images(30)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES))
    values = torch.from_numpy(pixels)
    look = Look(*spread(values))
    with Learning(module, Recipe(part=7), partial(derive, 0), look, "cpu", 2, print) as learning:
        gradients, answer = learning.gradients(0, values, torch.from_numpy(truth))
    loss = nn.functional.cross_entropy(
        module(look.at(values.permute(0, 3, 1, 2) / 255)), torch.from_numpy(truth)
    )
    for ours, theirs in zip(gradients, torch.autograd.grad(loss, list(module.parameters())), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert answer.loss == pytest.approx(loss.item(), rel=1e-5)


def test_running_means_are_those_over_the_parts() -> None:
    module = nn.BatchNorm1d(2)
    values = torch.arange(16.0).view(8, 2)

    def work(rows: slice, twin: nn.Module) -> Any:
        return twin(values[rows]).sum(), None

    with Parts(module, 2) as parts:
        parts.gradients([partial(work, slice(0, 4)), partial(work, slice(4, 8))])
    halves = [values[:4], values[4:]]
    want = 0.1 * torch.stack([half.mean(dim=0) for half in halves]).mean(dim=0)
    torch.testing.assert_close(module.running_mean, want)
    spreads = torch.stack([half.var(dim=0) for half in halves]).mean(dim=0)
    torch.testing.assert_close(module.running_var, 0.9 + 0.1 * spreads)
    assert module.num_batches_tracked == 1


class DrawsByItself(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return nn.functional.dropout(values, 0.3, self.training)


def test_a_network_that_draws_from_torchs_own_generator_is_the_same_too() -> None:
    made, again = (training(module=network(DrawsByItself()), threads=threads) for threads in (1, 4))
    made.run()
    torch.manual_seed(123)
    before = torch.get_rng_state()
    again.run()
    assert torch.equal(torch.get_rng_state(), before)
    assert_equal(weights(again), weights(made))


class Killed(Exception):
    pass


class Shelf:
    """Keeps what is saved, and breaks the training off after some saves."""

    def __init__(self, kill_after: int | None = None) -> None:
        self.kept: tuple[dict, dict] | None = None
        self.saves, self.kill_after, self.notes = 0, kill_after, []

    def ties(self) -> Ties:
        return Ties(note=self.notes.append, load=lambda: self.kept, save=self.save)

    def save(self, arrays: dict, note: dict) -> None:
        import json

        self.kept = ({n: a.copy() for n, a in arrays.items()}, json.loads(json.dumps(note)))
        self.saves += 1
        if self.saves == self.kill_after:
            raise Killed


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", 1e9)


@pytest.mark.parametrize("optimiser", ["adam", "nesterov", "adagrad", "rmsprop", "sgd"])
@pytest.mark.parametrize("kill_after", [1, 4, 6])
@pytest.mark.usefixtures("every_step")
def test_a_training_that_was_killed_goes_on_to_the_same_end(optimiser: str, kill_after: int) -> None:
    recipe = replace(RECIPE, optimiser=optimiser, patience=3)
    whole = training(recipe, validation=watched())
    history = whole.run()
    shelf = Shelf(kill_after)
    with pytest.raises(Killed):
        training(recipe, validation=watched(), ties=shelf.ties()).run()
    shelf.kill_after = None
    rest = training(recipe, validation=watched(), ties=shelf.ties(), threads=2)
    assert rest.run().epochs == history.epochs
    assert_equal(weights(rest), weights(whole))
    assert any("going on after epoch" in note for note in shelf.notes)


@pytest.mark.usefixtures("every_step")
def test_a_checkpoint_of_another_training_is_left_alone() -> None:
    shelf = Shelf(3)
    with pytest.raises(Killed):
        training(ties=shelf.ties()).run()
    shelf.kill_after = None
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, CLASSES))
    history = training(replace(RECIPE, epochs=1), module=other, ties=shelf.ties()).run()
    assert history.epoch == 1
    assert not any("going on" in note for note in shelf.notes)
    phase = training(ties=Shelf().ties(), phase="2")
    phase.ties = replace(phase.ties, load=lambda: shelf.kept)
    assert phase.run().epoch == RECIPE.epochs


def test_training_ends_early_and_keeps_the_best_epoch() -> None:
    pixels, truth = images(40, seed=1)
    wrong = Examples(HeldPixels(pixels), (truth + 1) % CLASSES)  # the better the training, the worse
    notes: list[str] = []
    made = training(
        replace(RECIPE, epochs=30, patience=2, average=0.0), validation=wrong, ties=Ties(note=notes.append)
    )
    history = made.run()
    losses = history.epochs["validation_loss"]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 30
    assert "no better for 2 epochs" in notes[-1]
    short = training(replace(RECIPE, epochs=30, average=0.0), validation=wrong)
    short.plan = short.plan[: best + 1]
    with pytest.raises(IndexError):  # the plan ends after the best epoch
        short.run()
    assert_equal(weights(made), weights(short))


def test_a_loss_that_is_no_number_is_explained() -> None:
    made = training(Recipe(epochs=3, batch=30, optimiser="sgd", rate=1e30))
    with pytest.raises(
        RunError, match=r"is no number at step \d of epoch 1.*learning rate is 1e\+30.*clip: 1"
    ):
        made.run()


def test_growing_the_batch_keeps_the_rate() -> None:
    recipe = Recipe(epochs=4, batch=3, rate=0.01, optimiser="sgd", grow_batch=True,
                    schedule=Schedule("step", decay=1 / 3, every=2))  # fmt: skip
    made = training(recipe)
    assert made.plan == [(3, 30), (3, 30), (9, 10), (9, 10)]
    assert made.run().epochs["rate"] == pytest.approx([0.01] * 4)
    assert made.history.step == 80


def test_a_warm_up_does_not_grow_the_batch() -> None:
    """Each epoch has the rate for an image that the schedule has where the batch stays as it is."""
    still = Recipe(epochs=4, batch=3, rate=0.01, optimiser="sgd", schedule=Schedule("cosine", warm_up=1.0))
    growing = replace(still, grow_batch=True)
    assert growing.plan(90)[0] == (3, 30)
    assert [batch for batch, _ in growing.plan(90)] == [batch for batch, _ in replace(
        growing, schedule=Schedule("cosine")).plan(90)]  # fmt: skip
    for recipe in (still, growing):
        made = training(recipe)
        made.history.epoch = 1
        batch, _ = made.plan[1]
        assert made.rate() / batch == pytest.approx(0.01 * Schedule("cosine").factor(1, 4) / 3)


def test_streamed_images_train_the_same_network() -> None:
    pixels, truth = images()
    held = training()
    held.run()
    streamed = training()
    streamed.examples = Examples(StreamedPixels(len(pixels), lambda rows: pixels[rows], 2), truth)
    streamed.run()
    assert_equal(weights(streamed), weights(held))


def test_too_little_memory_makes_parts_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    most: list[int] = []
    plain = Learning._loss

    def small(self: Learning, pixels: torch.Tensor, *rest: Any) -> Any:
        if len(pixels) > 4:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate")
        most.append(len(pixels))
        return plain(self, pixels, *rest)

    monkeypatch.setattr(Learning, "_loss", small)
    made = training(replace(RECIPE, epochs=1), ties=Ties(note=notes.append))
    made.run()
    assert max(most) == 4
    assert notes[0] == "out of memory with 8 images at once: going on with 4"


def test_the_first_loss_and_the_first_gradient_are_looked_at() -> None:
    notes: list[str] = []
    made = training(ties=Ties(note=notes.append))
    before = weights(made)
    check(made)
    assert notes == []
    assert_equal(weights(made), before)
    loud = network()
    with torch.no_grad():
        loud[-1].weight.mul_(300)
    check(training(module=loud, ties=Ties(note=notes.append)))
    assert notes[-1].startswith("the first loss is ")
    assert f"log(3) = {math.log(3):.3g}" in notes[-1]
    dead = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.ReLU(), nn.Linear(4, CLASSES))
    for parameter in dead.parameters():
        nn.init.zeros_(parameter)
    dead[3].bias.requires_grad_(False)
    check(training(module=dead, ties=Ties(note=notes.append)))
    assert "the first gradient is zero" in notes[-1]


@pytest.mark.parametrize(("able", "said"), [(True, "can learn"), (False, "cannot learn")])
def test_a_few_images_can_be_learned_by_heart_or_not(able: bool, said: str) -> None:
    notes: list[str] = []
    module = network()
    if not able:
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
    check(training(module=module, ties=Ties(note=notes.append)), by_heart=True)
    assert any(said in note and "16 images by heart" in note for note in notes)


class OwnLoss(nn.Linear):
    def __init__(self, seen: Callable[[torch.Tensor], None]) -> None:
        super().__init__(64, CLASSES)
        self.seen = seen

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return super().forward(values.flatten(1))

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
        self.seen(images)
        return ((outputs - nn.functional.one_hot(targets, CLASSES)) ** 2).mean()


def test_a_network_may_bring_its_own_loss_which_sees_pixels_in_0_to_1() -> None:
    seen: list[torch.Tensor] = []
    made = training(replace(RECIPE, epochs=8, rate=0.01, average=0.0), module=OwnLoss(seen.append))
    losses = made.run().epochs["loss"]
    assert losses[-1] < losses[0] / 2
    assert all(one.min() >= 0 and one.max() <= 1 for one in seen)


def test_a_loss_of_its_own_smooths_labels_or_says_that_it_cannot() -> None:
    torch.manual_seed(0)
    net: Any = build("googlenet", classes=3, channels=3, size=(32, 32))
    pixels, targets = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 0])
    batch, scores = Mixed(pixels, targets, targets, 1.0), net(pixels)
    heads = [(1.0, scores), (0.3, net.first), (0.3, net.second)]
    for smoothing in (0.0, 0.2):
        want = sum(
            weight * nn.functional.cross_entropy(head, targets, label_smoothing=smoothing)
            for weight, head in heads
        )
        torch.testing.assert_close(objective(net, scores, batch, smoothing), want)
    with pytest.raises(RunError, match="a loss of its own, which takes no label_smoothing: leave it at 0"):
        training(replace(RECIPE, smoothing=0.1), module=OwnLoss(lambda images: None)).run()


def test_spread_is_that_of_numpy() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    mean, deviation = spread(torch.from_numpy(pixels))
    np.testing.assert_allclose(mean, (pixels / 255).mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(deviation, (pixels / 255).std(axis=(0, 1, 2)), rtol=1e-6)


@pytest.mark.slow
def test_a_compiled_network_trains_as_a_plain_one() -> None:
    if shutil.which("g++") is None:
        pytest.skip("torch compiles for a processor with g++")
    plain, compiled = (training(replace(RECIPE, part=30, compiled=c), threads=2) for c in (False, True))
    np.testing.assert_allclose(compiled.run().epochs["loss"], plain.run().epochs["loss"], rtol=1e-3)
