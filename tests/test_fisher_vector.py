"""Fisher vectors against scikit-image's, which has the opposite sign in the part of the deviations."""

from __future__ import annotations

import numpy as np
import pytest
from vectors import clusters, descriptors

from cvpipe.errors import RunError
from cvpipe.stages.features.fisher_vector import FisherVector
from cvpipe.stages.transforms.l2 import L2
from cvpipe.stages.transforms.power import Power


def reference(rows: np.ndarray, stage: FisherVector) -> np.ndarray:
    from skimage.feature import fisher_vector
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(len(stage.weights_), covariance_type="diag")
    mixture.weights_ = stage.weights_.astype(float)
    mixture.means_ = stage.means_.astype(float)
    mixture.covariances_ = stage.variances_.astype(float)
    mixture.precisions_cholesky_ = mixture.covariances_**-0.5
    _, by_mean, by_deviation = np.split(
        fisher_vector(rows.astype(float), mixture),
        [len(stage.weights_), len(stage.weights_) + stage.means_.size],
    )
    return np.concatenate([by_mean, -by_deviation])


@pytest.mark.parametrize(("offset", "width"), [(0, 8), (0, 64), (100, 8)])
def test_the_numbers_are_those_of_scikit_image(offset: int, width: int) -> None:
    train, batch = clusters([3000], width), clusters([700, 0, 1, 2500], width, seed=1)
    for values in (train.values, batch.values):
        values += offset
    stage = FisherVector(gaussians=16, power=1, norm="none", seed=0).fit(train)
    got = stage.transform(batch).values
    assert got.dtype == np.float32
    assert not got[1].any()
    for image in (0, 2, 3):
        want = reference(batch.values[batch.rows(image)], stage)
        np.testing.assert_allclose(got[image], want, atol=1e-4 * np.abs(want).max())


def test_improved_vectors_are_powers_of_length_one() -> None:
    batch = clusters([300, 0, 90])
    plain = FisherVector(gaussians=6, power=1, norm="none", seed=0).fit(batch).transform(batch)
    improved = FisherVector(gaussians=6, seed=0).fit(batch).transform(batch).values
    np.testing.assert_allclose(improved, L2().transform(Power().transform(plain)).values, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(improved, axis=1), [1, 0, 1], atol=1e-5)


def test_the_training_set_as_one_image_has_hardly_a_gradient() -> None:
    batch = clusters([4000])
    stage = FisherVector(gaussians=5, power=1, norm="none", tolerance=1e-6, seed=0).fit(batch)
    assert np.abs(stage.transform(batch).values).max() < 0.02  # the mixture is where its likelihood peaks
    assert np.abs(stage.transform(clusters([4000], seed=1)).values).max() > 0.2


def test_an_image_does_not_depend_on_the_others() -> None:
    batch = clusters([300, 1, 2, 1700, 5], 16)
    stage = FisherVector(gaussians=12, seed=0).fit(batch)
    together = stage.transform(batch).values
    for image in range(5):
        np.testing.assert_array_equal(stage.transform(batch[[image]]).values[0], together[image])


def test_fewer_descriptors_than_gaussians_leave_columns_zero() -> None:
    batch = descriptors([2, 0, 1])
    stage = FisherVector(gaussians=10, seed=0).fit(batch)
    got = stage.transform(descriptors([40, 3], seed=1)).values.reshape(2, 2, 10, 8)
    assert np.isfinite(got).all()
    assert not got[:, :, 3:].any()
    assert got[:, :, :3].any(axis=(1, 2, 3)).all()


def test_constant_components_stay_finite() -> None:
    constant = descriptors([30], values=np.full((30, 8), 7, np.float32))
    stage = FisherVector(gaussians=3, seed=0).fit(constant)
    for batch in (constant, clusters([50])):
        got = stage.transform(batch).values
        np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, rtol=1e-5)


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="fisher_vector: the training images have no descriptors"):
        FisherVector().fit(descriptors([0, 0]))
    stage = FisherVector(gaussians=3, seed=0).fit(descriptors([20]))
    assert stage.fit_rows == 3000
    with pytest.raises(RunError, match="fisher_vector: descriptors are 16 numbers long, the Gaussians 8"):
        stage.transform(descriptors([4], width=16))
