from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cvpipe.vision import kernels


def histograms(rows: int, seed: int) -> np.ndarray:
    """Non-negative rows with many zeros, one of them all zero."""
    rng = np.random.default_rng(seed)
    x = rng.random((rows, 37)) * (rng.random((rows, 37)) < 0.5)
    x[1] = 0
    return x.astype(np.float32)


def plainly(kernel: str, x: np.ndarray, y: np.ndarray) -> float:
    """The definition, one number after the other."""
    pairs: list[tuple[float, float]] = list(zip(x.tolist(), y.tolist(), strict=True))
    if kernel == "chi2":
        return sum((a - b) ** 2 / (a + b) for a, b in pairs if a + b)
    each: dict[str, Any] = {
        "rbf": lambda a, b: (a - b) ** 2,
        "laplacian": lambda a, b: abs(a - b),
        "intersection": min,
        "linear": lambda a, b: a * b,
    }
    return sum(each[kernel](a, b) for a, b in pairs)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("kernel", ["chi2", "rbf", "laplacian", "intersection", "linear"])
def test_values_follow_the_definition(kernel: kernels.Kernel, same: bool) -> None:
    x = histograms(70, 0)
    y = x if same else histograms(41, 1)
    want = np.array([[plainly(kernel, a, b) for b in y] for a in x])
    if kernel in kernels.OF_DISTANCE:
        np.testing.assert_allclose(kernels.distances(kernel, x, y), want, atol=2e-5)
        want = np.exp(-0.3 * want)
    got = kernels.similarities(kernel, x, y, 0.3)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=2e-5)


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("offset", [0.0, 100.0, 10_000.0])
def test_an_offset_that_all_features_share_costs_no_digits(offset: float, same: bool) -> None:
    rng = np.random.default_rng(0)
    x, y = (np.float32(offset + rng.normal(size=(rows, 64))) for rows in (30, 700))
    x = y if same else x
    want = ((x.astype(float)[:, None] - y.astype(float)) ** 2).sum(axis=2)
    got = kernels.distances("rbf", x, y)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)
    if same:
        np.testing.assert_array_equal(got, got.T)
    one = kernels.distances("rbf", x[:1].copy(), y)  # rows of x do not depend on each other
    np.testing.assert_allclose(one, got[:1], rtol=1e-6, atol=1e-4)


def test_chi2_is_that_of_scikit_learn() -> None:
    from sklearn.metrics.pairwise import chi2_kernel

    x, y = histograms(50, 0), histograms(20, 1)
    got = kernels.similarities("chi2", x, y, 0.7)
    np.testing.assert_allclose(got, chi2_kernel(x.astype(float), y.astype(float), gamma=0.7), atol=1e-6)


def test_gamma_is_one_over_the_mean_distance_of_different_rows() -> None:
    x = np.array([[0.0], [1.0], [4.0]], np.float32)
    assert kernels.auto_gamma(kernels.distances("laplacian", x, x)) == pytest.approx(3 / (1 + 4 + 3))
    assert kernels.auto_gamma(np.zeros((3, 3), np.float32)) == 1


@pytest.mark.parametrize("offset", [1e3, 1e4])
def test_distances_within_two_groups_far_apart(offset: float) -> None:
    """Less the mean they lie as far from 0 as before: products of float32 tell nothing about neighbours."""
    rows = np.random.default_rng(0).normal(size=(300, 8))
    rows[:, 0] += np.where(np.arange(300) % 2, offset, -offset)
    x = rows.astype(np.float32)
    exact = ((x[:, None].astype(float) - x) ** 2).sum(axis=2)
    found = kernels.distances("rbf", x, x)
    np.testing.assert_allclose(found, exact, rtol=0.01)
    assert not found.diagonal().any()
    np.testing.assert_array_equal(found, found.T)


def test_few_close_pairs_are_computed_by_definition() -> None:
    x = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    y = x + np.float32(1e-4)
    exact = ((x.astype(float) - y) ** 2).sum(axis=1)
    np.testing.assert_allclose(kernels.distances("rbf", x, y).diagonal(), exact, rtol=1e-4)
