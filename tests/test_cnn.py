"""The stage `cnn`: what it sees of images, what it keeps, what it refuses. Its training is tested in `test_trainer`."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import cvpipe
from cvpipe import Pipeline, fitting, threads
from cvpipe.conductor.progress import Progress
from cvpipe.data import Images
from cvpipe.data.exhibits import Gallery
from cvpipe.errors import RunError, SpecError
from cvpipe.nets import trainer
from cvpipe.spec.build import build_stage
from cvpipe.stages.networks._frame import Frame, frame_of
from cvpipe.stages.networks._lesson import held_back
from cvpipe.stages.networks.cnn import Cnn


def stripes(
    count: int = 40, size: tuple[int, int] = (16, 12), colour: bool = False
) -> tuple[Images, np.ndarray]:
    """Images of stripes across or along, and their labels."""
    rng = np.random.default_rng(0)
    truth = np.arange(count) % 2
    y, x = np.mgrid[: size[0], : size[1]]
    waves = np.stack([np.sin(x * 1.5), np.sin(y * 1.5)])[truth]
    values = (128 + 60 * waves + rng.normal(0, 20, (count, *size))).clip(0, 255).astype(np.uint8)
    pixels = np.stack([values, values // 2, 255 - values], axis=-1) if colour else values
    return Images.from_arrays(pixels), np.where(truth, "along", "across")


def accuracy(stage: Cnn, images: Images, labels: np.ndarray) -> float:
    return float(np.mean(stage.predict(images).labels == labels))


def test_it_learns_images_end_to_end() -> None:
    images, labels = stripes()
    made = Cnn(seed=0, batch=8).fit(images, labels)
    assert accuracy(made, images, labels) == 1
    scores = made.predict(images).scores
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)
    assert made.predict(images).classes.tolist() == ["across", "along"]


def test_it_predicts_what_the_network_says() -> None:
    images, labels = stripes(colour=True)
    made = Cnn(seed=0, epochs=2).fit(images, labels)
    pixels = torch.from_numpy(np.stack(list(images))).permute(0, 3, 1, 2) / 255
    mean, deviation = (torch.from_numpy(a)[:, None, None] for a in (made.mean_, made.deviation_))
    module = made.build()
    module.load_state_dict({n: torch.from_numpy(w) for n, w in made.weights_.items()})
    with torch.no_grad():
        want = module.eval()((pixels - mean) / deviation).softmax(dim=1)
    np.testing.assert_allclose(made.predict(images).scores, want, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_threads_change_nothing(count: int) -> None:
    images, labels = stripes()
    options: dict[str, Any] = {
        "seed": 1,
        "epochs": 3,
        "part": 8,
        "options": {"dropout": 0.3, "batch_norm": True},
    }
    want = Cnn(**options).fit(images, labels).state()
    with threads.allow(count):
        got = Cnn(**options).fit(images, labels).state()
    assert got.keys() == want.keys()
    for name, value in want.items():
        np.testing.assert_array_equal(got[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("options", "shapes", "want"),
    [
        ({}, [(20, 30)] * 3, (20, 30)),  # all of one size
        ({}, [(448, 224)] * 3, (224, 112)),  # too large, the shape is kept
        ({}, [(20, 30), (40, 30), (50, 60)], (35, 35)),  # the median of the sides
        ({}, [(1, 1), (2, 2), (3, 1)], (8, 8)),  # not smaller than the network takes
        ({"size": 24}, [(20, 30)], (24, 24)),
        ({"size": (10, 14)}, [(20, 30)], (10, 14)),
    ],
)
def test_the_size_that_the_network_sees(options: dict, shapes: list, want: tuple[int, int]) -> None:
    images = Images.from_arrays([np.zeros((*shape, 3), np.uint8) for shape in shapes])
    frame = frame_of(images, options.get("size", "auto"), "auto", 8)
    assert (frame.height, frame.width) == want


def test_channels_are_one_if_all_images_are_grey() -> None:
    grey, rgb = np.full((4, 4), 9, np.uint8), np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    assert frame_of(Images.from_arrays([grey, grey]), "auto", "auto", 1).channels == 1
    assert frame_of(Images.from_arrays([grey, rgb]), "auto", "auto", 1).channels == 3
    assert frame_of(Images.from_arrays([grey, rgb]), "auto", "grey", 1).channels == 1
    assert frame_of(Images.from_arrays([grey]), 4, "rgb", 1).channels == 3


def test_pixels_are_means_of_what_they_cover() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = 100
    assert Frame(2, 2, 3).pixels(image)[..., 0].tolist() == [[100, 0], [0, 0]]
    assert Frame(2, 2, 1).pixels(image).shape == (2, 2, 1)


def test_images_that_do_not_fit_in_memory_train_the_same_network() -> None:
    # 400 images of 60 x 60 x 1 bytes are 1.44 MB
    images, labels = stripes(400, (60, 60))
    held, streamed = (Cnn(seed=0, epochs=1, memory=memory).fit(images, labels) for memory in (2, 1))
    for name, weight in held.weights_.items():
        np.testing.assert_array_equal(streamed.weights_[name], weight)


def test_a_share_of_each_class_is_only_watched() -> None:
    truth = np.repeat([0, 1, 2], [20, 10, 1])
    watched = held_back(truth, 0.3, np.random.default_rng(0))
    assert np.bincount(truth[watched], minlength=3).tolist() == [6, 3, 0]
    images, labels = stripes()
    made = Cnn(seed=0, validation=0.25, epochs=3).fit(images, labels)
    assert set(made.history_) == {
        "loss", "accuracy", "validation_loss", "validation_accuracy", "rate", "update_ratio",
    }  # fmt: skip
    titles = [exhibit.title for exhibit in made.exhibits()]
    assert titles == ["Loss", "Accuracy", "Learning rate", "Update / weights", "Filters of the first layer"]
    assert list(made.exhibits()[0].series) == ["training", "validation"]


def test_the_network_itself_is_no_part_of_a_copy() -> None:
    images, labels = stripes()
    made = Cnn(seed=0, epochs=1).fit(images, labels)
    want = made.predict(images).scores
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert "_made" not in vars(again)
        np.testing.assert_array_equal(again.predict(images).scores, want)
    other = Cnn(seed=5, epochs=1).fit(images, labels)
    made.restore(other.state())
    np.testing.assert_array_equal(made.predict(images).scores, other.predict(images).scores)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"net": "lenet6"}, "unknown network 'lenet6' (did you mean 'lenet5'?)"),
        (
            {"options": {"width": [8]}},
            "unknown option 'width' of network 'simple_cnn' (did you mean 'widths'?)",
        ),
        ({"patience": 3}, "patience: 3 needs images to watch: set validation, such as 0.1"),
        (
            {"grow_batch": True, "schedule": "constant"},
            "grow_batch needs a schedule that falls, not constant",
        ),
        ({"optimiser": "adm"}, "got 'adm' (did you mean 'adam'?)"),
        ({"augment": ["flop"]}, "option 'augment' of stage 'cnn' must be"),
        ({"learning_rate": 0}, "option 'learning_rate' of stage 'cnn' must be a number above 0"),
    ],
)
def test_what_cannot_work_is_said_before_any_image_is_read(options: dict, said: str) -> None:
    with pytest.raises(SpecError) as told:
        build_stage("cnn", options)
    assert said in str(told.value)


def test_augmentation_has_strengths() -> None:
    made = build_stage("cnn", {"augment": ["flip", {"rotate": 5, "scale": 0}]})
    assert isinstance(made, Cnn)
    assert made.strengths() == {"flip": 0.5, "rotate": 5, "scale": 0}


def test_training_images_that_cannot_be_learned_from() -> None:
    images, labels = stripes(4)
    with pytest.raises(RunError, match="learns from labels"):
        Cnn().fit(images)
    with pytest.raises(RunError, match="two classes"):
        Cnn().fit(images, np.array(["one"] * 4))
    with pytest.raises(RunError, match="'lenet5' takes images of at least 12 x 12 px, got 8 x 8 px"):
        Cnn(net="lenet5", size=8).fit(images, labels)
    with pytest.raises(SpecError, match="'lenet5' takes images of at least 12 x 12 px, got 30 x 8 px"):
        build_stage("cnn", {"net": "lenet5", "size": [8, 30]})
    with pytest.raises(SpecError, match="'simple_cnn' takes images of at least 8 x 8 px, got 4 x 4 px"):
        build_stage("cnn", {"size": 4, "options": {"widths": [2, 2, 2]}})


class Told(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(trainer, "SAVE_SHARE", 1e9)
    images, labels = stripes()
    data = cvpipe.Dataset("stripes", images, labels)

    def run(place: str, epochs: int = 4) -> tuple[Any, list[str]]:
        monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / place))
        told = Told()
        pipeline = Pipeline([Cnn(epochs=epochs, batch=10)])
        return pipeline.run(data, split={"holdout": 0.5}, progress=told), told.notes

    whole, notes = run("whole")
    assert sum("epoch" in note for note in notes) == 4
    plain, saves = fitting.save, []

    def save(arrays: Any, note: Any) -> None:
        plain(arrays, note)
        saves.append(note)
        if len(saves) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "save", save)
        with pytest.raises(KeyboardInterrupt):
            run("broken")
    _, notes = run("broken", epochs=3)
    assert not any("going on" in note for note in notes)  # what another spec left is not taken
    rest, notes = run("broken")
    assert any("going on after epoch" in note for note in notes)
    scores = [result.pipeline.predictions(images).scores for result in (rest, whole)]
    np.testing.assert_array_equal(*scores)


def test_dimensions_of_capsules_are_drawn() -> None:
    images, labels = stripes(20, (20, 20))
    made = Cnn(net="capsnet", options={"maps": 4, "kinds": 1}, epochs=1, seed=0).fit(images, labels)
    galleries = [exhibit for exhibit in made.exhibits() if "capsule" in exhibit.title]
    assert [g.title for g in galleries] == [
        "What the capsule of 'across' draws",
        "What the capsule of 'along' draws",
    ]
    assert isinstance(galleries[1], Gallery)
    assert galleries[1].images.shape == (16 * 11, 20, 20, 3)
    assert galleries[1].captions[11 * 2 + 10] == "3: +0.25"
    module: Any = made.module()
    capsules = torch.from_numpy(made.capsules_[1:].copy())
    capsules[0, 1, 2] += 0.25
    with torch.no_grad():
        want = module.reconstruct(capsules, torch.tensor([1]))[0, 0] * 255
    np.testing.assert_allclose(galleries[1].images[11 * 2 + 10, ..., 0], want, atol=0.51)
    assert len(made.restore(made.state()).exhibits()) == len(made.exhibits())
    assert Cnn(epochs=1, seed=0).fit(images, labels).capsules_.size == 0


def test_tensorboard_files_need_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    images, labels = stripes(10)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(RunError, match="pip install tensorboard"):
        Cnn(epochs=1, tensorboard=str(tmp_path)).fit(images, labels)


def test_a_spec_for_given_splits_has_a_smoke_test_on_data_without(tmp_path: Path) -> None:
    result = cvpipe.run("mlp_mnist", data="digits", smoke=True, out=tmp_path / "out")
    assert result.split == {"holdout": 0.5}
    assert (tmp_path / "out" / "report.html").is_file()
