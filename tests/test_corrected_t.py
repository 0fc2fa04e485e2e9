import numpy as np
import pytest
from scipy import stats

from cvpipe.statistics.corrected_t import CorrectedT, corrected_t

DIFFERENCES = [0.031, 0.012, 0.045, -0.008, 0.027]


def overlapping(runs: int, splits: int, correlation: float, seed: int = 0) -> np.ndarray:
    """(runs, splits) differences without any true difference, correlated as those of overlapping training sets."""
    rng = np.random.default_rng(seed)
    shared = np.sqrt(correlation) * rng.standard_normal((runs, 1))
    return shared + np.sqrt(1 - correlation) * rng.standard_normal((runs, splits))


def judged(differences: list[float] | np.ndarray, test_per_train: float) -> CorrectedT:
    """The test of differences that vary."""
    found = corrected_t(differences, test_per_train)
    assert found
    return found


def test_without_overlap_it_is_the_paired_t_test_of_scipy() -> None:
    found, oracle = judged(DIFFERENCES, 0.0), stats.ttest_1samp(DIFFERENCES, 0.0)
    assert found.statistic == pytest.approx(oracle.statistic)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.interval == pytest.approx(tuple(oracle.confidence_interval(0.95)))


def test_against_the_posterior_of_baycomp() -> None:
    """With a flat prior the posterior is the same Student distribution, so its tail is half of p."""
    baycomp = pytest.importorskip("baycomp")
    left, right = baycomp.CorrelatedTTest.probs(np.zeros(5), np.array(DIFFERENCES))
    assert judged(DIFFERENCES, 1 / 4).p == pytest.approx(2 * min(left, right))


def test_a_worked_example() -> None:
    values = np.array(DIFFERENCES)
    t = values.mean() / np.sqrt((1 / 5 + 1 / 4) * values.var(ddof=1))
    found = judged(DIFFERENCES, 1 / 4)
    assert found.statistic == pytest.approx(t)
    assert found.p == pytest.approx(0.189533, abs=1e-6)  # baycomp 1.0.3: 2 * 0.0947665
    assert found.interval[0] < 0 < found.interval[1]


@pytest.mark.parametrize(
    "differences",
    [[0.0] * 5, [0.7 - 0.6, 0.8 - 0.7, 0.3 - 0.2], [1.1e-16, 0.0, 1.1e-16]],  # rounding is no deviation
)
def test_equal_differences_say_nothing(differences: list[float]) -> None:
    assert corrected_t(differences, 0.25) is None
    assert corrected_t([*differences, 0.05], 0.25) is not None


def test_a_certain_winner() -> None:
    assert judged(0.2 + 0.01 * np.arange(5), 0.25).p < 1e-3


@pytest.mark.parametrize(("splits", "correlation"), [(5, 0.2), (10, 0.1), (50, 0.2)])
def test_it_keeps_its_level_where_the_usual_test_does_not(splits: int, correlation: float) -> None:
    nulls = overlapping(3000, splits, correlation)
    ratio = correlation / (1 - correlation)  # the correlation is the share of the test images
    corrected = np.mean([judged(values, ratio).p < 0.05 for values in nulls])
    usual = np.mean(stats.ttest_1samp(nulls, 0.0, axis=1).pvalue < 0.05)
    assert 0.04 < corrected < 0.062
    assert usual > 0.13


def test_its_interval_covers_the_truth() -> None:
    intervals = [judged(0.3 + values, 0.25).interval for values in overlapping(2000, 5, 0.2, seed=1)]
    assert np.mean([low < 0.3 < high for low, high in intervals]) == pytest.approx(0.95, abs=0.015)
