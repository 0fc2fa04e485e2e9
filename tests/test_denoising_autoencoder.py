"""The denoising autoencoder as a stage."""

from __future__ import annotations

import numpy as np
import pytest
from filter_learning import photographs, sampler, white_patches

from cvpipe.errors import RunError
from cvpipe.stages.filters.denoising_autoencoder import DenoisingAutoencoder


def fitted(**options: object) -> DenoisingAutoencoder:
    small = {"filters": 60, "patches": sampler(), "seed": 0, "epochs": 30, "decay": 1e-4, "whiten": "none"}
    stage = DenoisingAutoencoder(**small | options)  # type: ignore[arg-type]
    return stage.fit(stage.sampler.transform(photographs()))


def test_it_fills_in_what_was_hidden_better_than_one_that_never_saw_noise() -> None:
    rows = white_patches(fitted(epochs=1), photographs(1, seed=5)[0])
    hidden = np.where(np.random.default_rng(0).random(rows.shape) < 0.5, 0, rows).astype(np.float32)

    def error(stage: DenoisingAutoencoder) -> float:
        drawn = stage._codes(hidden.copy()) @ stage.decoder_ + stage.output_
        return float(np.square(drawn - rows).mean())

    assert error(fitted(masked=0.5)) < error(fitted(masked=0.0))


def test_images_are_encoded_without_noise() -> None:
    stage = fitted(noise=0.3, masked=0.0)
    images = photographs(2, seed=3)
    z = white_patches(stage, images[1]).astype(np.float64) @ stage.filters_.T + stage.bias_
    got = stage.transform(images).values[1, :60]
    np.testing.assert_allclose(got, (1 / (1 + np.exp(-z))).mean(axis=0), atol=1e-4)


def test_one_that_diverges_says_what_to_change() -> None:
    with pytest.raises(RunError, match="denoising_autoencoder: the autoencoder diverged"):
        fitted(activation="relu", learning_rate=1e12)
