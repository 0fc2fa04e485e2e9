import numpy as np
import pytest
from scipy import stats

from cvpipe.statistics.mcnemar import FEW, mcnemar


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 1), (3, 9), (12, 12), (0, 24), (11, 14), (30, 12), (55, 45), (86, 150)]
)
def test_against_mlxtend(only_a: int, only_b: int) -> None:
    oracle = pytest.importorskip("mlxtend.evaluate").mcnemar
    table, found = np.array([[500, only_a], [only_b, 20]]), mcnemar(only_a, only_b)
    chi2, p = oracle(table, exact=only_a + only_b < FEW)
    assert found.p == pytest.approx(p, rel=1e-12)
    assert found.exact == (chi2 is None)
    if chi2 is not None:
        assert found.statistic == pytest.approx(chi2)


def test_numbers_of_the_oracles() -> None:
    assert mcnemar(3, 9).p == pytest.approx(0.14599609375)  # scipy.stats.binomtest(3, 12)
    assert mcnemar(86, 150).p == pytest.approx(4.11456e-05, rel=1e-5)  # mlxtend, chi-square 16.818


def test_the_exact_test_is_the_binomial_test_of_scipy() -> None:
    for only_a in range(FEW - 5):
        assert mcnemar(only_a, 5).p == pytest.approx(stats.binomtest(only_a, only_a + 5).pvalue)


def test_both_ways_agree_where_they_meet() -> None:
    for only_a in range(34, 46):  # p from 0.002 to 0.4
        exact = stats.binomtest(only_a, FEW).pvalue
        assert 0.99 * exact < mcnemar(only_a, FEW - only_a).p < 1.09 * exact


def test_nothing_differs() -> None:
    assert mcnemar(0, 0) == (0.0, 1.0, True)
    assert mcnemar(40, 40).p == 1.0


def test_which_is_a_does_not_matter() -> None:
    assert mcnemar(7, 2) == mcnemar(2, 7)
    assert mcnemar(70, 20) == mcnemar(20, 70)


def test_a_certain_winner() -> None:
    assert mcnemar(200, 3).p < 1e-30


@pytest.mark.parametrize("discordant", [20, 60, 300])
def test_a_fair_coin_is_found_unfair_at_most_as_often_as_it_may(discordant: int) -> None:
    heads = np.random.default_rng(0).binomial(discordant, 0.5, 4000)
    rate = np.mean([mcnemar(h, discordant - h).p < 0.05 for h in heads.tolist()])
    assert 0.02 < rate < 0.056  # discrete, so somewhat below the level; three standard errors are 0.01
