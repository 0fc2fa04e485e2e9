import numpy as np
import pytest
from scipy import stats

from cvpipe.statistics.effect_size import cohens_d, cohens_g


def test_d_is_t_by_the_root_of_n() -> None:
    values = [0.031, 0.012, 0.045, -0.008, 0.027]
    assert cohens_d(values) == pytest.approx(stats.ttest_1samp(values, 0).statistic / np.sqrt(5))


def test_d_does_not_grow_with_the_number_of_splits() -> None:
    rng = np.random.default_rng(0)
    few, many = (cohens_d(rng.normal(0.5, 1.0, n)) for n in (2000, 200_000))
    assert few == pytest.approx(0.5, abs=0.1)
    assert many == pytest.approx(0.5, abs=0.01)


def test_no_d_without_deviation() -> None:
    assert cohens_d([0.1]) is None
    assert cohens_d([0.7 - 0.6, 0.8 - 0.7]) is None


def test_g_is_the_distance_from_a_coin() -> None:
    assert cohens_g(30, 10) == 0.25
    assert cohens_g(10, 30) == -0.25
    assert cohens_g(7, 0) == 0.5
    assert cohens_g(0, 0) == 0.0
