import numpy as np
import pytest

from cvpipe.statistics.bayes import correlated_t
from cvpipe.statistics.corrected_t import corrected_t

A = np.array([0.813, 0.790, 0.842, 0.801, 0.829])
B = np.array([0.795, 0.788, 0.811, 0.806, 0.801])


@pytest.mark.parametrize("rope", [0.001, 0.01, 0.05])
def test_against_baycomp(rope: float) -> None:
    baycomp = pytest.importorskip("baycomp")
    left, inside, right = baycomp.CorrelatedTTest.probs(B, A, rope)
    assert correlated_t(A - B, 1 / 4, rope) == pytest.approx((right, inside, left))


def test_repeats_against_baycomp() -> None:
    baycomp = pytest.importorskip("baycomp")
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.8, 0.02, 20), rng.normal(0.79, 0.02, 20)
    left, inside, right = baycomp.CorrelatedTTest.probs(b, a, 0.01, runs=4)
    assert correlated_t(a - b, 1 / 4) == pytest.approx((right, inside, left))


def test_numbers_of_the_oracle() -> None:
    assert correlated_t(A - B, 1 / 4) == pytest.approx(
        (0.662625, 0.297464, 0.039911), abs=1e-6
    )  # baycomp 1.0.3


def test_without_a_region_it_is_half_the_p_value() -> None:
    found, test = correlated_t(A - B, 0.25, 0.0), corrected_t(A - B, 0.25)
    assert found
    assert test
    assert found.b_better == pytest.approx(test.p / 2)


def test_equal_differences_say_nothing() -> None:
    assert correlated_t(np.zeros(5), 0.25) is None
    assert correlated_t(np.full(5, 0.1), 0.25) is None


def test_swapping_swaps() -> None:
    one, other = correlated_t(A - B, 0.25), correlated_t(B - A, 0.25)
    assert one
    assert other
    assert one == pytest.approx(other[::-1])
    assert sum(one) == pytest.approx(1.0)
