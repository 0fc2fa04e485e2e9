"""Mixtures of Gaussians against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from vectors import clusters

from cvpipe import threads
from cvpipe.vision.gmm import Mixture, Summary, fit_mixture, improved
from cvpipe.vision.kmeans import distinct_rows


def rows_and_start(offset: float = 0.0) -> tuple[np.ndarray, Mixture]:
    rows = clusters([3000], 6).values + np.float32(offset)
    means = distinct_rows(rows, 4, np.random.default_rng(1))
    return rows, Mixture(np.full(4, 0.25, np.float32), means, np.full((4, 6), 2, np.float32))


def sklearn_mixture(start: Mixture, iterations: int) -> Any:
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(
        len(start.weights),
        covariance_type="diag",
        reg_covar=0,
        tol=0,
        max_iter=iterations,
        weights_init=start.weights / start.weights.sum(),
        means_init=start.means,
        precisions_init=1 / start.variances,
    )


@pytest.mark.filterwarnings("ignore:.*converge")
@pytest.mark.parametrize("offset", [0.0, 300.0])  # far from zero, where squares drown differences
def test_em_goes_the_way_of_scikit_learn(offset: float) -> None:
    rows, mixture = rows_and_start(offset)
    theirs = sklearn_mixture(mixture, 12).fit(rows.astype(np.float64))
    for _ in range(12):
        mixture, likelihood = improved(rows, mixture, 0)
    np.testing.assert_allclose(mixture.weights, theirs.weights_, atol=1e-4)
    np.testing.assert_allclose(mixture.means, theirs.means_, atol=1e-3)
    np.testing.assert_allclose(mixture.variances, theirs.covariances_, rtol=2e-3)
    assert likelihood == pytest.approx(theirs.lower_bound_, abs=1e-4)
    assert improved(rows, mixture, 0)[1] == pytest.approx(theirs.score(rows.astype(float)), abs=1e-4)


def test_sums_are_those_of_the_posteriors() -> None:
    rows, mixture = rows_and_start()
    summary = Summary(mixture)
    theirs = sklearn_mixture(mixture, 1)
    theirs._set_parameters((mixture.weights, mixture.means, mixture.variances, mixture.variances**-0.5))
    q, x = theirs.predict_proba(rows.astype(float)), rows - summary.centre.astype(float)
    sums, likelihood = summary.sums(rows)
    np.testing.assert_allclose(sums, q.T @ np.column_stack([x, x**2, np.ones(len(x))]), atol=1e-2)
    assert likelihood == pytest.approx(theirs.score_samples(rows.astype(float)).sum(), rel=1e-6)


def test_the_likelihood_never_falls() -> None:
    rows, mixture = rows_and_start()
    found = []
    for _ in range(40):
        mixture, likelihood = improved(rows, mixture, 0)
        found.append(likelihood)
    assert (np.diff(found) > -1e-5).all()
    assert found[-1] > found[0] + 0.1


def test_a_fitted_mixture_is_as_likely_as_scikit_learns() -> None:
    from sklearn.mixture import GaussianMixture

    rows = clusters([4000], 6).values
    ours = fit_mixture(rows, 5, 100, 1e-4, 1e-4, np.random.default_rng(0))
    theirs = GaussianMixture(5, covariance_type="diag", random_state=0).fit(rows)
    assert improved(rows, ours, 0)[1] > theirs.score(rows) - 0.02


def test_the_result_does_not_depend_on_threads() -> None:
    rows = clusters([20_000], 6).values
    made = []
    for count in (1, 3):
        with threads.allow(count):
            made.append(fit_mixture(rows, 5, 4, 0, 1e-4, np.random.default_rng(0)))
    np.testing.assert_array_equal(made[0].means, made[1].means)
    np.testing.assert_array_equal(made[0].variances, made[1].variances)


def test_no_variance_is_below_the_floor() -> None:
    rows = clusters([500], 6).values
    rows[:, 2] = 0.1
    found = fit_mixture(rows, 8, 30, 0, 0.01, np.random.default_rng(0))
    assert found.variances.min() == pytest.approx(0.01 * rows.var(axis=0).max(), rel=1e-5)
    np.testing.assert_allclose(found.variances[:, 2], found.variances.min())


@pytest.mark.parametrize("distinct", [1, 3])
def test_fewer_distinct_rows_than_gaussians(distinct: int) -> None:
    rows = np.repeat(clusters([distinct], 6).values, 4, axis=0)
    found = fit_mixture(rows, 9, 10, 1e-3, 1e-4, np.random.default_rng(0))
    assert len(found.weights) == distinct
    np.testing.assert_allclose(found.weights, 1 / distinct, rtol=1e-5)
    np.testing.assert_allclose(sorted(found.means[:, 0]), sorted(set(rows[:, 0])), rtol=1e-5)


def test_a_gaussian_without_rows_stays_where_it_is() -> None:
    rows, start = rows_and_start()
    far = Mixture(start.weights, start.means.copy(), start.variances)
    far.means[1] = 500
    after, _ = improved(rows, far, 1e-3)
    np.testing.assert_allclose(after.means[1], 500, rtol=1e-6)
    assert after.weights[1] == 0
    again, likelihood = improved(rows, after, 1e-3)
    assert np.isfinite(likelihood)
    assert np.isfinite(again.variances).all()


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_a_mixture_does_not_depend_on_the_unit(unit: float) -> None:
    rows = clusters([400], 6).values
    plain, other = (
        fit_mixture(rows * np.float32(u), 3, 20, 0, 0.01, np.random.default_rng(0)) for u in (1, unit)
    )
    np.testing.assert_allclose(other.variances, plain.variances * unit**2, rtol=1e-3)
    np.testing.assert_allclose(other.means, plain.means * unit, rtol=1e-3, atol=1e-4 * unit)
