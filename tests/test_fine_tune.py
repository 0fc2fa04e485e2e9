"""Fine-tuning: what is taken over, what learns when and how fast, and that an interruption changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import cvpipe
from cvpipe import Pipeline, fitting
from cvpipe.conductor.progress import Progress
from cvpipe.data import Images
from cvpipe.errors import DataError, SpecError
from cvpipe.nets import heads, trainer
from cvpipe.nets.build import build
from cvpipe.nets.table import NETS
from cvpipe.nets.taps import Dry
from cvpipe.spec.build import build_stage
from cvpipe.stages.networks.fine_tune import FineTune

SIDE = 16


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    """Weights of the default `simple_cnn` for 16x16 px and 5 classes."""
    torch.manual_seed(3)
    path = tmp_path / "old.pt"
    torch.save(build("simple_cnn", classes=5, channels=3, size=(SIDE, SIDE)).state_dict(), path)
    return path


def stripes(count: int = 40) -> tuple[Images, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = np.arange(count) % 2
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = np.stack([np.sin(x * 1.5), np.sin(y * 1.5)])[truth]
    values = (128 + 60 * waves + rng.normal(0, 20, (count, SIDE, SIDE))).clip(0, 255).astype(np.uint8)
    return Images.from_arrays(values), np.where(truth, "along", "across")


def stage(weights: Path, **options: Any) -> FineTune:
    usual: dict[str, Any] = {
        "net": "simple_cnn", "weights": str(weights), "size": SIDE, "epochs": 2, "seed": 0, "batch": 10,
    }  # fmt: skip
    return FineTune(**usual | options)


def test_layers_below_a_step_keep_their_weights(pretrained: Path) -> None:
    images, labels = stripes()
    made = stage(pretrained, unfreeze=("conv2",), learning_rate=0.01, epochs=5).fit(images, labels)
    old = {name: t.numpy() for name, t in torch.load(pretrained, weights_only=True).items()}
    np.testing.assert_array_equal(made.weights_["conv1.weight"], old["conv1.weight"])
    assert not np.array_equal(made.weights_["conv2.weight"], old["conv2.weight"])
    assert made.weights_["out.weight"].shape == (2, 32)
    assert np.mean(made.predict(images).labels == labels) == 1
    assert len(made.history_["loss"]) == 5


def test_steps_follow_each_other(pretrained: Path) -> None:
    images, labels = stripes()
    made = stage(pretrained, unfreeze=("dense1", "conv1"), augment=("flip",)).fit(images, labels)
    old = torch.load(pretrained, weights_only=True)
    assert not np.array_equal(made.weights_["conv1.weight"], old["conv1.weight"].numpy())
    assert len(made.history_["loss"]) == 4


def test_the_new_last_layer_learns_from_what_the_others_give(pretrained: Path) -> None:
    module = build("simple_cnn", classes=2, channels=3, size=(SIDE, SIDE))
    source = build("simple_cnn", classes=5, channels=3, size=(SIDE, SIDE))
    head = module.out.weight.detach().clone()
    heads.take_over(module, source)
    assert torch.equal(module.conv2.weight, source.conv2.weight)
    assert torch.equal(module.out.weight, head)
    images = torch.rand(3, 3, SIDE, SIDE)
    torch.testing.assert_close(module.eval().out(heads.headless(module)(images)), module(images))
    assert heads.classes_in(module, str(pretrained)) == 5


def test_rates_fall_downwards_and_frozen_layers_stay_in_their_mode() -> None:
    module = nn.Sequential()
    for name, part in (
        ("a", nn.Conv2d(3, 4, 3)),
        ("n", nn.BatchNorm2d(4)),
        ("r", nn.ReLU()),
        ("b", nn.Linear(4, 2)),
    ):
        module.add_module(name, part)
    assert heads.falling_rates(module, 0.5) == {
        "b.weight": 1, "b.bias": 1, "n.weight": 0.5, "n.bias": 0.5, "a.weight": 0.25, "a.bias": 0.25,
    }  # fmt: skip
    heads.thaw(module, "b")
    heads.train_thawed(module)
    assert [p.training for p in (module.a, module.n, module.b)] == [False, False, True]
    heads.thaw(module, "n")
    heads.train_thawed(module)
    assert [p.training for p in (module.a, module.n, module.b)] == [False, False, True]
    assert module.n.weight.requires_grad
    assert not module.a.weight.requires_grad


def test_what_cannot_work_is_said_before_any_image_is_read(pretrained: Path, tmp_path: Path) -> None:
    ask: dict[str, Any] = {"net": "simple_cnn", "weights": str(pretrained)}
    with pytest.raises(SpecError, match=r"'simple_cnn' has no layer 'conv3' \(did you mean 'conv"):
        build_stage("fine_tune", {**ask, "unfreeze": ["conv3"]})
    with pytest.raises(SpecError, match="there is no such file"):
        build_stage("fine_tune", {**ask, "weights": str(tmp_path / "missing.pt")})
    with pytest.raises(SpecError, match="'simple_cnn' takes images of at least 4 x 4 px, got 3 x 3 px"):
        build_stage("fine_tune", {**ask, "size": 3})
    images, labels = stripes(4)
    with pytest.raises(DataError, match="do not fit network 'lenet5'"):
        stage(pretrained, net="lenet5").fit(images, labels)


class Told(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize("kill_after", [2, 11])  # in the first and in the second step
def test_a_run_that_is_killed_goes_on_where_it_was(
    kill_after: int, pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", 1e9)
    images, labels = stripes(80)
    data = cvpipe.Dataset("stripes", images, labels)

    def run(place: str) -> tuple[Any, list[str]]:
        monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / place))
        told = Told()
        pipeline = Pipeline([stage(pretrained, unfreeze=("dense1", "conv2"), seed=None)])
        return pipeline.run(data, split={"holdout": 0.5}, progress=told), told.notes

    whole, _ = run("whole")
    plain, saves = fitting.save, []

    def save(arrays: Any, note: Any) -> None:
        plain(arrays, note)
        saves.append(note)
        if len(saves) == kill_after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "save", save)
        with pytest.raises(KeyboardInterrupt):
            run("broken")
    assert saves[-1]["phase"] == ("1" if kill_after == 2 else "2")
    rest, notes = run("broken")
    assert any("going on after epoch" in note for note in notes)
    scores = [result.pipeline.predictions(images).scores for result in (rest, whole)]
    np.testing.assert_array_equal(*scores)
    curves = [result.pipeline.fitted[0].history_ for result in (rest, whole)]
    for name, values in curves[1].items():
        np.testing.assert_array_equal(curves[0][name], values)


def test_weights_for_other_classes_are_taken_over_but_for_what_gives_scores(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = build("googlenet", classes=7, channels=3, size=(32, 32))
    torch.save(source.state_dict(), tmp_path / "old.pt")
    made = (
        FineTune(net="googlenet", weights=str(tmp_path / "old.pt"), size=32).with_weights(3, 0).state_dict()
    )
    before = source.state_dict()
    other = {name for name, tensor in made.items() if not torch.equal(tensor, before[name])}
    assert other == {
        f"{head}.{part}" for head in ("fc", "aux1.fc2", "aux2.fc2") for part in ("weight", "bias")
    }


@pytest.mark.parametrize("net", ["squeezenet", "capsnet", "fcn8s"])
def test_a_network_without_a_dense_layer_for_its_scores_is_refused(net: str) -> None:
    with pytest.raises(SpecError, match=f"'{net}' has no dense layer that gives its scores"):
        build_stage("fine_tune", {"net": net, "weights": "none"})


@pytest.mark.parametrize("net", NETS)
def test_the_table_tells_which_networks_have_such_a_layer(net: str) -> None:
    dry = Dry(net, 11, 3, (64, 64))
    layers = [dry.net.get_submodule(name) for name in dry.shapes]
    last = [layer for layer in layers if not list(layer.children())][-1]
    assert NETS[net].dense_head == isinstance(last, nn.Linear)
