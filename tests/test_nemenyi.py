import math

import numpy as np
import pytest
from scipy import stats

from cvpipe.statistics.friedman import friedman
from cvpipe.statistics.nemenyi import critical_difference, indistinct

DEMSAR = {2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164}
"""Critical values for the level 0.05: Demsar, JMLR 2006, table 5a."""


@pytest.mark.parametrize(("pipelines", "q"), DEMSAR.items())
def test_the_table_of_demsar(pipelines: int, q: float) -> None:
    expected = q * math.sqrt(pipelines * (pipelines + 1) / (6 * 14))
    assert critical_difference(pipelines, 14) == pytest.approx(expected, rel=5e-4)


def test_the_level_0_10() -> None:
    assert critical_difference(4, 14, 0.10) == pytest.approx(
        2.291 * math.sqrt(20 / 84), rel=5e-4
    )  # the same table


@pytest.mark.parametrize("pipelines", [2, 7, 40])
def test_the_quantile_of_scipy(pipelines: int) -> None:
    quantile = stats.studentized_range.ppf(0.95, pipelines, math.inf) / math.sqrt(2)
    expected = quantile * math.sqrt(pipelines * (pipelines + 1) / 60)
    assert critical_difference(pipelines, 10) == pytest.approx(expected, rel=1e-6)


def test_bars_of_the_diagram() -> None:
    assert indistinct([1.0, 1.5, 2.4, 4.0], 1.0) == [[0, 1], [1, 2]]
    assert indistinct([1.0, 1.2, 1.4], 1.0) == [[0, 1, 2]]
    assert indistinct([1.0, 3.0], 1.0) == []
    assert indistinct([2.0, 2.0], 0.5) == [[0, 1]]
    assert indistinct([], 0.5) == []


def test_a_null_rarely_has_two_ranks_so_far_apart() -> None:
    ranks = [friedman(scores).ranks for scores in np.random.default_rng(0).random((2000, 15, 5))]
    assert np.mean([r.max() - r.min() >= critical_difference(5, 15) for r in ranks]) < 0.06
