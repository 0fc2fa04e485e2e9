"""The sparse autoencoder as a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filter_learning import photographs, sampler, white_patches

import cvpipe
from cvpipe import Pipeline, fitting
from cvpipe.conductor.progress import Progress
from cvpipe.data import Images
from cvpipe.data.exhibits import Curves, Facts, Gallery
from cvpipe.errors import RunError, SpecError
from cvpipe.nets import autoencoder_training
from cvpipe.spec.build import build_stage
from cvpipe.stages.classifiers.knn import Knn
from cvpipe.stages.filters.denoising_autoencoder import DenoisingAutoencoder
from cvpipe.stages.filters.sparse_autoencoder import SparseAutoencoder


def fitted(**options: object) -> tuple[SparseAutoencoder, Images]:
    images = photographs()
    small = {"filters": 24, "patches": sampler(), "seed": 0, "epochs": 8}
    stage = SparseAutoencoder(**small | options)  # type: ignore[arg-type]
    return stage.fit(stage.sampler.transform(images)), images


@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_an_image_is_the_mean_and_deviation_of_its_units(activation: str) -> None:
    stage, images = fitted(activation=activation, penalty="l1", beta=0.1)
    z = white_patches(stage, images[0]).astype(np.float64) @ stage.filters_.T + stage.bias_
    codes = 1 / (1 + np.exp(-z)) if activation == "sigmoid" else np.maximum(z, 0)
    got = stage.transform(images[:1]).values[0]
    np.testing.assert_allclose(got, [*codes.mean(axis=0), *codes.std(axis=0)], atol=1e-4)


def test_units_are_about_as_active_as_wanted() -> None:
    stage, _ = fitted(rho=0.1, beta=10, epochs=25, filters=60)
    assert stage.use_.mean() == pytest.approx(0.1, abs=0.05)


def test_training_draws_patches_again_and_shows_it() -> None:
    stage, _ = fitted(epochs=25, filters=60, rho=0.05)
    assert stage.history_[-1, 2] < 0.7 * stage.history_[0, 2]
    kinds = [type(exhibit) for exhibit in stage.exhibits()]
    assert kinds == [Gallery, Facts, Curves, Curves, Gallery, Curves]
    error, redrawn, use = stage.exhibits()[2], stage.exhibits()[4], stage.exhibits()[5]
    assert set(error.series) == {"training patches", "held-out patches"}  # type: ignore[union-attr]
    assert set(use.series) == {"units", "wanted"}  # type: ignore[union-attr]
    pairs = redrawn.images.astype(float)  # type: ignore[union-attr]
    patch, again = pairs[::2].reshape(12, -1), pairs[1::2].reshape(12, -1)
    similar = [np.corrcoef(a, b)[0, 1] for a, b in zip(patch, again, strict=True)]
    assert np.median(similar) > 0.7


@pytest.mark.parametrize(
    "options", [{"tied": True}, {"dropout": 0.5}, {"optimiser": "lbfgs", "learning_rate": 1.0}]
)
def test_its_variants_learn(options: dict[str, object]) -> None:
    stage, images = fitted(**options)
    assert stage.history_[-1, 2] < stage.history_[0, 2]
    assert np.isfinite(stage.transform(images).values).all()


class Told(Progress):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (SparseAutoencoder, {"dropout": 0.2}),
        (SparseAutoencoder, {"optimiser": "lbfgs", "learning_rate": 1.0}),
        (DenoisingAutoencoder, {"tied": True}),
    ],
    ids=["dropout", "lbfgs", "denoising"],
)
def test_a_run_that_is_killed_goes_on_where_it_was(
    kind: Any, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autoencoder_training, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(autoencoder_training, "SAVE_SHARE", 1e9)
    data = cvpipe.Dataset("photographs", photographs(), np.array(["a", "b"] * 3))

    def run(place: str, epochs: int = 7) -> tuple[Any, list[str]]:
        monkeypatch.setenv("CVPIPE_CACHE", str(tmp_path / place))
        told = Told()
        small = {"filters": 24, "patches": sampler(), "batch": 64, "epochs": epochs, "patience": epochs}
        pipeline = Pipeline([kind(**small | options), Knn(k=1)])
        result = pipeline.run(data, split={"holdout": 0.5}, progress=told)
        return result.pipeline.fitted[0], told.notes

    whole, notes = run("whole")
    assert sum(note.startswith("epoch") for note in notes) == 7
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
    _, notes = run("broken", epochs=6)
    assert not any("going on" in note for note in notes)  # what another spec left is not taken
    rest, notes = run("broken")
    assert "going on after epoch 3" in notes
    assert sum(note.startswith("epoch") for note in notes) == 4
    for name, value in whole.state().items():
        np.testing.assert_array_equal(rest.state()[name], value)


def test_fewer_patches_than_units_are_legal() -> None:
    few = sampler(count=1)
    images = photographs()
    stage = SparseAutoencoder(filters=50, patches=few, seed=0).fit(few.transform(images))
    assert stage.transform(images).values.shape == (6, 100)


def test_one_that_diverges_says_what_to_change() -> None:
    with pytest.raises(
        RunError, match=r"sparse_autoencoder: the autoencoder diverged.*epoch.*lower `learning_rate` "
    ):
        fitted(activation="relu", penalty="none", learning_rate=1e12)


def test_kl_is_for_units_between_0_and_1_and_so_is_rho() -> None:
    with pytest.raises(SpecError, match="penalty: kl compares mean activations with a probability"):
        fitted(activation="relu")
    with pytest.raises(SpecError, match="penalty: kl compares mean activations with a probability"):
        build_stage("sparse_autoencoder", {"activation": "relu"})
    for rho in (0, 1, 1.5):
        with pytest.raises(SpecError, match="rho"):
            build_stage("sparse_autoencoder", {"rho": rho})
