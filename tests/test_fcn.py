"""Fully convolutional networks: VGG's numbers at the middle of the map, skips, and the maps in a report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from test_report import FakePipeline, fake_result, page_of, section_ids
from torch import nn

from cvpipe.data import Images, Predictions
from cvpipe.nets.build import build
from cvpipe.nets.taps import Dry
from cvpipe.report.class_maps import section
from cvpipe.stage import Classifier
from cvpipe.stages.networks.cnn import Cnn

SMALL: dict[str, Any] = {"vgg": "vgg11_bn", "dense": [8]}


def test_dense_layers_become_convolutions() -> None:
    """The claim of section 3.1: where it sees what the classifier sees, it gives what the classifier gives."""
    options: dict[str, Any] = {"classes": 5, "channels": 3, "size": (224, 224), "dense": (32, 16)}
    vgg: Any = build("vgg16", **options).eval()
    fcn: Any = build("fcn32s", **options).eval()
    fcn.parts[0].load_state_dict(vgg.features.state_dict())
    convolutions = [*(layer for layer in fcn.dense if isinstance(layer, nn.Conv2d)), fcn.scores[0]]
    layers = [layer for layer in vgg.classifier if isinstance(layer, nn.Linear)]
    for conv, dense in zip(convolutions, layers, strict=True):
        conv.weight.data = dense.weight.data.view(conv.weight.shape)
        conv.bias.data = dense.bias.data
    x = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        maps = fcn.class_maps(x)
        torch.testing.assert_close(maps[..., 3, 3], vgg(x))
        torch.testing.assert_close(fcn(x), maps.mean((2, 3)))
    assert maps.shape == (1, 5, 7, 7)


def test_parameters_are_those_of_the_paper() -> None:
    """Table 1: 134 million with the 21 classes of PASCAL VOC."""
    assert round(Dry("fcn32s", 21, 3, (224, 224)).parameters / 1e6) == 134


@pytest.mark.parametrize(("net", "stride"), [("fcn32s", 32), ("fcn16s", 16), ("fcn8s", 8)])
def test_maps_are_finer_with_skips(net: str, stride: int) -> None:
    made: Any = build(net, classes=4, channels=1, size=(75, 101), **SMALL)
    assert made.class_maps(torch.randn(2, 1, 75, 101)).shape == (2, 4, 75 // stride, 101 // stride)


def test_scores_of_poolings_are_added() -> None:
    made: Any = build("fcn8s", classes=2, channels=1, size=(64, 64), **SMALL).eval()
    x = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        third = made.parts[0](x)
        fourth = made.parts[1](third)
        coarse = made.scores[2](made.dense(made.parts[2](fourth)))
        middle = made.scores[1](fourth) + twice(coarse)
        torch.testing.assert_close(made.class_maps(x), made.scores[0](third) + twice(middle))
    assert [score.in_channels for score in made.scores] == [256, 512, 8]


def twice(x: torch.Tensor) -> torch.Tensor:
    """Linear interpolation between the middles of positions, as weights of a matrix for each axis."""
    side = x.shape[-1]
    places = np.clip((np.arange(2 * side) + 0.5) / 2 - 0.5, 0, side - 1)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(side)))
    matrix = torch.tensor(weights, dtype=x.dtype)
    return matrix @ x @ matrix.T


def test_it_does_not_look_at_what_no_image_shows() -> None:
    sides = [(32, 1), (64, 3), (96, 5), (128, 7), (512, 7)]
    for side, field in sides:
        made: Any = build("fcn32s", classes=2, channels=1, size=(side, 32), **SMALL)
        assert made.dense[0].kernel_size == (field, 1)


def trained() -> tuple[Cnn, Images]:
    """A network that has seen bright and dark images of 32 px."""
    draws = np.random.default_rng(0)
    levels = np.tile([40, 210], 4)
    pixels = levels[:, None, None, None] + draws.integers(0, 9, (8, 32, 32, 3))
    images = Images.from_arrays(list(pixels.astype(np.uint8)))
    stage = Cnn(net="fcn16s", options=SMALL, epochs=1, batch=8, average=0.0, learning_rate=1e-3, seed=0)
    return stage.fit(images, np.where(levels > 100, "light", "dark")), images


def test_maps_are_probabilities_at_each_position() -> None:
    stage, images = trained()
    maps = stage.class_maps(images[:3])
    assert maps is not None
    assert maps.shape == (3, 2, 2, 2)
    np.testing.assert_allclose(maps.sum(axis=1), 1, atol=1e-6)
    module: Any = stage.module()
    with torch.inference_mode():
        look = (torch.from_numpy(stage.trained_frame().batch(images[:3])).float() / 255).permute(0, 3, 1, 2)
        seen = (look - torch.tensor(stage.mean_).view(-1, 1, 1)) / torch.tensor(stage.deviation_).view(
            -1, 1, 1
        )
        np.testing.assert_allclose(maps, module.class_maps(seen).softmax(1), atol=1e-4)
    again = Cnn(net="fcn16s", options=SMALL).restore(stage.state())
    np.testing.assert_array_equal(again.class_maps(images[:3]), maps)


def test_a_network_that_sees_images_as_a_whole_has_no_maps() -> None:
    images = Images.from_arrays([np.full((8, 8, 3), level, np.uint8) for level in (0, 250) * 4])
    stage = Cnn(epochs=1, seed=0).fit(images, np.array(["a", "b"] * 4))
    assert stage.class_maps(images) is None


class Left(Classifier):
    """It sees its second class on the left of every image."""

    def __init__(self) -> None:
        self.classes_ = np.array(["cat", "dog"])

    def predict(self, images: Images) -> Predictions:
        """The same for all."""
        return Predictions(np.tile(np.float32([0.4, 0.6]), (len(images), 1)), self.classes_)

    def class_maps(self, images: Images) -> np.ndarray:
        dog = np.tile(np.array([[[1.0, 0.4, 0.4]]], np.float32), (len(images), 2, 1))
        return np.stack([1 - dog, dog], axis=1)


def test_maps_are_in_the_report() -> None:
    result = replace(fake_result(), pipeline=FakePipeline(Left()))
    content = section(result)
    assert content is not None
    rows = {result.dataset.images.ids[row]: row for row in result.splits[0].test}
    for shown in content["shown"]:
        assert shown["label"] == result.dataset.labels[rows[shown["id"]]]
        assert (shown["predicted"], shown["rows"], shown["columns"]) == ("dog", 2, 3)
        assert shown["map"] != shown["src"]
    assert "class-maps" in section_ids(page_of(result))
    assert section(fake_result()) is None
