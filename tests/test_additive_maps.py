"""chi2_map against scikit-learn, both maps against the kernels that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from cvpipe.data import Features
from cvpipe.errors import RunError
from cvpipe.stages.features.chi2_map import Chi2Map
from cvpipe.stages.features.intersection_map import IntersectionMap
from cvpipe.vision import kernels


def histograms(rows: int = 30, width: int = 50) -> np.ndarray:
    rng = np.random.default_rng(0)
    values = rng.exponential(size=(rows, width)) * (rng.random((rows, width)) < 0.6)
    return (values / values.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("interval", [None, 0.3])
def test_the_chi_square_map_is_that_of_scikit_learn(steps: int, interval: float | None) -> None:
    from sklearn.kernel_approximation import AdditiveChi2Sampler

    x = histograms()
    got = Chi2Map(steps=steps, interval=interval).transform(Features(values=x)).values
    want = AdditiveChi2Sampler(sample_steps=steps, sample_interval=interval).fit_transform(x.astype(float))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-6)


@pytest.mark.parametrize(("stage", "most"), [(Chi2Map(steps=3), 0.03), (IntersectionMap(steps=3), 0.05)])
def test_inner_products_are_nearly_the_kernel(stage: Chi2Map | IntersectionMap, most: float) -> None:
    x = histograms()
    mapped = stage.transform(Features(values=x)).values
    if isinstance(stage, Chi2Map):  # 2 x y / (x + y) = (x + y) / 2 - (x - y)^2 / (x + y) / 2
        want = 1 - kernels.distances("chi2", x, x) / 2
    else:
        want = kernels.similarities("intersection", x, x, 0)
    pairs = ~np.eye(len(x), dtype=bool)  # of a row with itself the truncated spectrum misses most
    apart = np.abs(mapped @ mapped.T - want)[pairs]
    assert apart.max() < most
    fewer = type(stage)(steps=1).transform(Features(values=x)).values
    assert np.abs(fewer @ fewer.T - want)[pairs].mean() > 2 * apart.mean()


@pytest.mark.parametrize("stage", [Chi2Map(), IntersectionMap()])
def test_zeros_stay_zeros_and_negative_features_are_refused(stage: Chi2Map | IntersectionMap) -> None:
    assert not stage.transform(Features(values=np.zeros((2, 3), np.float32))).values.any()
    assert stage.transform(Features(values=np.zeros((0, 3), np.float32))).values.shape == (0, 9)
    with pytest.raises(
        RunError, match=rf"{stage.name}: the kernel is for features that are not negative, but one is -2"
    ):
        stage.transform(Features(values=np.array([[1, -2]], np.float32)))
