import numpy as np
import pytest
from scipy import stats

from cvpipe.statistics.friedman import friedman


@pytest.mark.parametrize("decimals", [8, 1])  # without and with ties
def test_against_scipy(decimals: int) -> None:
    scores = np.random.default_rng(0).random((12, 5)).round(decimals) + np.arange(5) * 0.1
    found, oracle = friedman(scores), stats.friedmanchisquare(*scores.T.round(10))
    assert found.statistic == pytest.approx(oracle.statistic)
    assert found.p == pytest.approx(oracle.pvalue)


def test_the_example_of_demsar() -> None:
    """C4.5 and three variants on 14 data sets: table 6 of Demsar, JMLR 2006, with its mean ranks and chi-square.
    (One 0.975 is a little more than the other: so the paper ranks what it prints alike.)"""
    scores = np.array([
        [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957],
        [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978],
        [0.771, 0.590, 0.968, 0.654, 0.886, 0.916, 0.609, 0.563, 0.866, 1.000, 0.965, 0.614, 0.9751, 0.946],
        [0.798, 0.569, 0.967, 0.657, 0.898, 0.931, 0.685, 0.625, 0.875, 1.000, 0.962, 0.669, 0.975, 0.970],
    ]).T  # fmt: skip
    found = friedman(scores)
    assert found.ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.statistic == pytest.approx(stats.friedmanchisquare(*scores.T).statistic)
    n, k = scores.shape
    uncorrected = 12 * n / (k * (k + 1)) * ((found.ranks**2).sum() - k * (k + 1) ** 2 / 4)
    assert uncorrected == pytest.approx(9.28, abs=5e-3)  # the paper leaves ties uncorrected


def test_equal_scores() -> None:
    found = friedman(np.ones((5, 3)))
    assert found[:2] == (0.0, 1.0)
    assert found.ranks.tolist() == [2.0, 2.0, 2.0]


def test_the_best_has_rank_one() -> None:
    found = friedman(np.tile([0.1, 0.9, 0.5], (5, 1)))
    assert found.ranks.tolist() == [3.0, 1.0, 2.0]
    assert found.p < 0.01


def test_the_level_is_kept() -> None:
    nulls = np.random.default_rng(0).random((2000, 20, 4))
    assert np.mean([friedman(scores).p < 0.05 for scores in nulls]) == pytest.approx(0.05, abs=0.015)


def test_scores_that_differ_by_rounding_are_equal() -> None:
    """The same recalls of five classes in another order: their mean differs in its last bit."""
    draws = np.random.default_rng(34)
    recalls = [draws.permutation(5) / draws.integers(5, 20, 5) for _ in range(10)]
    scores = np.array([[np.roll(each, shift).mean() for shift in range(3)] for each in recalls])
    assert np.ptp(scores, axis=1).any()  # in the last bit
    assert friedman(scores).p == 1
    np.testing.assert_array_equal(friedman(scores).ranks, 2)
