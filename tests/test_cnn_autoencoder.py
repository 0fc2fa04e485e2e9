"""The convolutional autoencoder: it gives images back, and its features are its code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cvpipe.data import Images
from cvpipe.nets.conv_autoencoder import ConvAutoencoder
from cvpipe.spec import option_problems
from cvpipe.stages.networks.cnn_autoencoder import CnnAutoencoder


def blobs(count: int = 60) -> np.ndarray:
    """(n, 12, 12) uint8: a bright spot at a place of its own, so that two numbers tell all."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:12, :12]
    cy, cx = rng.uniform(2, 9, (2, count, 1, 1))
    return (255 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 8)).astype(np.uint8)


def test_a_short_code_gives_images_back_better_than_as_many_principal_components() -> None:
    pixels = blobs()
    made = CnnAutoencoder(seed=0, epochs=150, batch=20, learning_rate=5e-3, code=3, validation=0.2)
    made.fit(Images.from_arrays(pixels))
    flat = pixels.reshape(len(pixels), -1) / 255
    centred = flat - flat.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    of_components = (singular[3:] ** 2).sum() / flat.size
    assert made.history_["loss"][-1] < of_components
    assert made.history_["validation_loss"][-1] < 2 * of_components
    assert "accuracy" not in made.history_
    assert made.exhibits()[0].title == "Loss"


def test_features_are_the_code() -> None:
    pixels = blobs()
    made = CnnAutoencoder(seed=0, epochs=1, code=5).fit(Images.from_arrays(pixels))
    module = made.build()
    assert isinstance(module, ConvAutoencoder)
    module.load_state_dict({n: torch.from_numpy(w) for n, w in made.weights_.items()})
    seen = (torch.from_numpy(pixels[:, None] / np.float32(255)) - made.mean_[0]) / made.deviation_[0]
    with torch.no_grad():
        want = module.encoder(seen)
    np.testing.assert_allclose(made.transform(Images.from_arrays(pixels)).values, want, atol=1e-5)


def test_images_that_are_halved_to_nothing_are_refused_before_a_run() -> None:
    assert option_problems(CnnAutoencoder(size=(4, 9), widths=(2, 2))) == []
    assert option_problems(CnnAutoencoder(size=(4, 9), widths=(2, 2, 2))) == [
        "stage 'cnn_autoencoder': 3 convolutions that halve the sides need images of at least 8 x 8 px, got 9 x 4 px"
    ]


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (4, 30)])
def test_what_comes_back_has_the_size_of_the_image(size: tuple[int, int]) -> None:
    module = ConvAutoencoder(3, size, (4, 6), 7)
    images = torch.rand(2, 3, *size)
    assert module(images).shape == images.shape
    assert module.encoder(images).shape == (2, 7)
    assert module.loss(images, torch.zeros(2), images) == 0
