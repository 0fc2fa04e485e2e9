"""PCA against scikit-learn's, and where there is little to learn from."""

from __future__ import annotations

import numpy as np
import pytest
from vectors import clusters, descriptors, features

from cvpipe import threads
from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stages.transforms.pca import Pca
from cvpipe.vision import pca
from cvpipe.vision.pca import principal_components


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize(("rows", "width"), [(300, 20), (15, 40)])  # by the covariance, by inner products
def test_scores_are_those_of_scikit_learn(rows: int, width: int, whiten: bool) -> None:
    from sklearn.decomposition import PCA

    batch = Features(values=features(rows, width).values * np.linspace(1, 3, width, dtype=np.float32) + 5)
    got = Pca(dims=6, whiten=whiten).fit(batch).transform(batch).values
    want = PCA(6, whiten=whiten, svd_solver="full").fit_transform(batch.values.astype(float))
    want *= np.sqrt(rows / (rows - 1)) if whiten else 1  # scikit-learn divides variances by n - 1
    np.testing.assert_allclose(got * np.sign((got * want).sum(axis=0)), want, atol=1e-5 * np.abs(want).max())


def test_the_sign_of_an_axis_is_no_accident() -> None:
    found = principal_components(features(200, 9).values, 9)
    assert (found.axes.max(axis=0) >= -found.axes.min(axis=0)).all()
    again = principal_components(features(200, 9).values[::-1], 9)
    np.testing.assert_allclose(found.axes, again.axes, atol=1e-9)


@pytest.mark.parametrize("shape", [(3000, 30), (20, 100)])
def test_sums_do_not_depend_on_threads(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pca, "COLUMNS", 8)
    monkeypatch.setattr(pca, "BLOCK_NUMBERS", 10_000)
    rows = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    made = []
    for count in (1, 3):
        with threads.allow(count):
            made.append(principal_components(rows, 5))
    np.testing.assert_array_equal(made[0].axes, made[1].axes)
    np.testing.assert_allclose(made[0].variances, np.linalg.eigvalsh(np.cov(rows.T, bias=True))[:-6:-1])


def test_descriptors_keep_their_places_and_may_be_whole_numbers() -> None:
    raw = np.random.default_rng(0).integers(0, 256, (40, 12), dtype=np.uint8)
    batch = descriptors([25, 0, 15], 12, values=raw)
    out = Pca(dims=5).fit(batch).transform(batch)
    assert out.values.shape == (40, 5)
    np.testing.assert_array_equal(out.xy, batch.xy)
    np.testing.assert_allclose(out.values.mean(axis=0), 0, atol=1e-3)
    covariance = np.cov(out.values.T)
    assert np.abs(covariance - np.diag(covariance.diagonal())).max() < 1e-2 * covariance[4, 4]


def test_an_image_does_not_depend_on_the_others() -> None:
    batch = clusters([300, 1, 70], 32)
    stage = Pca(dims=16, whiten=True).fit(batch)
    together = stage.transform(batch)
    for image in range(3):
        np.testing.assert_array_equal(stage.transform(batch[[image]]).values, together[[image]].values)


def test_components_in_which_nothing_varies_are_zero() -> None:
    values = features(30, 6).values.copy()
    values[:, 2], values[:, 4] = 0.1, values[:, 0] + values[:, 1]
    stage = Pca(dims=10, whiten=True).fit(Features(values=values))
    out = stage.transform(features(5, 6, seed=1)).values
    assert out.shape == (5, 6)
    assert np.abs(out[:, :4]).min() > 0
    assert not out[:, 4:].any()


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_equal_vectors_give_zeros(rows: int) -> None:
    stage = Pca(dims=3, whiten=True).fit(Features(values=np.full((rows, 7), 0.1, np.float32)))
    assert not stage.transform(features(4, 7)).values.any()


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="pca: there is nothing to learn components from"):
        Pca().fit(descriptors([0, 0]))
    stage = Pca(dims=3).fit(descriptors([20]))
    with pytest.raises(RunError, match="pca: vectors are 16 numbers long, 8 when it was fitted"):
        stage.transform(descriptors([4], width=16))
