import numpy as np
import pytest
from scipy import stats

from cvpipe.statistics import bootstrap


def resampled(values: np.ndarray, seed: int = 0, replicates: int = 2000) -> np.ndarray:
    """Means of (n,) values on every draw."""
    parts = bootstrap.draws(len(values), seed, replicates)
    return np.concatenate([part @ values.astype(np.float32) for part in parts]) / len(values)


def test_every_draw_has_as_many_images() -> None:
    parts = list(bootstrap.draws(100_000, 0, 100))
    assert len(parts) > 1
    assert sum(map(len, parts)) == 100
    assert all((part.sum(axis=1) == 100_000).all() for part in parts)


def test_units_are_drawn_alike_and_as_often_as_with_replacement() -> None:
    counts = np.concatenate(list(bootstrap.draws(50, 1, 4000)))
    assert counts.mean(axis=0) == pytest.approx(np.ones(50), abs=0.07)
    assert counts.var() == pytest.approx(1 - 1 / 50, rel=0.03)  # binomial(50, 1/50)


def test_the_interval_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).choice([-1, 0, 1], 400, p=[0.1, 0.75, 0.15])
    found = bootstrap.interval(resampled(values), float(values.mean()))
    oracle = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=5000, rng=np.random.default_rng(1)
    )
    assert found == pytest.approx(tuple(oracle.confidence_interval), abs=0.005)


def test_identical_answers_have_no_interval_and_no_doubt() -> None:
    zero = resampled(np.zeros(100))
    assert bootstrap.interval(zero, 0.0) == (0.0, 0.0)
    assert bootstrap.p_value(zero, 0.0) == 1.0


def test_a_certain_winner() -> None:
    values = np.random.default_rng(0).choice([0, 1], 300)
    assert bootstrap.p_value(resampled(values), float(values.mean())) < 0.001
    assert bootstrap.interval(resampled(values), float(values.mean()))[0] > 0.4


def test_draws_without_a_score_are_left_out() -> None:
    assert bootstrap.interval(np.array([0.1, np.nan, 0.1]), 0.1) == pytest.approx((0.1, 0.1))


def test_the_level_and_the_coverage_hold() -> None:
    rng = np.random.default_rng(0)
    found = []
    for seed in range(500):
        values = rng.choice([-1, 0, 1], 300, p=[0.1, 0.8, 0.1])
        means = resampled(values, seed, 400)
        low, high = bootstrap.interval(means, float(values.mean()))
        found.append((low <= 0 <= high, bootstrap.p_value(means, float(values.mean())) < 0.05))
    covered, rejected = np.mean(found, axis=0)
    assert covered == pytest.approx(0.95, abs=0.025)
    assert rejected == pytest.approx(0.05, abs=0.025)


def test_a_large_difference_survives_a_correction_for_many_pairs() -> None:
    """2,000 draws alone tell no p below 1 / 2,001, and Holm multiplies it by the number of pairs."""
    far = np.random.default_rng(0).normal(0.7, 0.05, 2000)
    p = bootstrap.p_value(far, 0.7)
    assert p == pytest.approx(2 * stats.norm.sf(0.7 / far.std()), rel=1e-6)
    assert p * 190 < 1e-30
    some = np.random.default_rng(0).normal(0.1, 0.05, 2000)
    assert bootstrap.p_value(some, 0.1) == pytest.approx(2 * stats.norm.sf(2), rel=0.2)
    assert bootstrap.p_value(np.full(50, 0.3), 0.3) == 1 / 51  # no spread tells nothing
