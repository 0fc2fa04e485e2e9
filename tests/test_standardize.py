from __future__ import annotations

import numpy as np
import pytest

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stages.features.standardize import Standardize


def test_it_is_the_standard_scaler_and_constants_become_zero() -> None:
    from sklearn.preprocessing import StandardScaler

    values = np.random.default_rng(0).normal(5, 3, (200, 6)).astype(np.float32)
    values[:, 2] = 1e6 / 3
    other = values + 1
    stage = Standardize().fit(Features(values=values))
    want = StandardScaler().fit(values.astype(float)).transform(other.astype(float))
    want[:, 2] = 0
    got = stage.transform(Features(values=other)).values
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_errors_say_what_is_wrong() -> None:
    with pytest.raises(RunError, match="standardize: there are no training images"):
        Standardize().fit(Features(values=np.zeros((0, 3), np.float32)))
    stage = Standardize().fit(Features(values=np.ones((2, 3), np.float32)))
    with pytest.raises(
        RunError, match="standardize: there are 4 features for each image, 3 when it was fitted"
    ):
        stage.transform(Features(values=np.ones((2, 4), np.float32)))
