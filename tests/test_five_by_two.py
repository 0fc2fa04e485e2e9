import numpy as np
import pytest

from cvpipe.statistics.five_by_two import FiveByTwo, five_by_two

DIFFERENCES = np.array([[0.02, -0.01], [0.03, 0.01], [0.00, 0.02], [0.04, 0.02], [0.01, -0.02]])


def judged(differences: np.ndarray) -> FiveByTwo:
    """The test of halves that differ."""
    found = five_by_two(differences)
    assert found
    return found


def test_against_mlxtend() -> None:
    """The differences that mlxtend sees on its own splits are written down and tested."""
    oracle = pytest.importorskip("mlxtend.evaluate").combined_ftest_5x2cv
    from sklearn.datasets import make_classification
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    seen: list[float] = []

    def scoring(model: object, X: np.ndarray, y: np.ndarray) -> float:
        seen.append(float(model.score(X, y)))  # type: ignore[attr-defined]
        return seen[-1]

    X, y = make_classification(300, 8, random_state=0)
    models = KNeighborsClassifier(), DecisionTreeClassifier(random_state=0)
    f, p = oracle(*models, X, y, scoring=scoring, random_seed=0)
    scores = np.array(seen).reshape(5, 2, 2)
    found = five_by_two(scores[..., 0] - scores[..., 1])
    assert found == pytest.approx((f, p))


def test_a_worked_example() -> None:
    halves = DIFFERENCES - DIFFERENCES.mean(axis=1, keepdims=True)
    f = (DIFFERENCES**2).sum() / (2 * (halves**2).sum())
    found = judged(DIFFERENCES)
    assert found.statistic == pytest.approx(f) == pytest.approx(0.0044 / 0.0030)
    assert found.p == pytest.approx(0.3523288, abs=1e-6)  # scipy.stats.f.sf(f, 10, 5)


def test_halves_that_agree_say_nothing() -> None:
    assert five_by_two(np.zeros((5, 2))) is None
    assert five_by_two(np.full((5, 2), 0.1)) is None
    assert five_by_two(np.array([[0.3 - 0.2, 0.2 - 0.1]] * 5)) is None  # rounding is no deviation
    assert five_by_two(np.repeat(DIFFERENCES[:, :1], 2, axis=1)) is None


def test_a_certain_winner() -> None:
    assert judged(0.3 + DIFFERENCES).p < 1e-3


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(5, 2\)"):
        five_by_two(np.zeros((2, 5)))


def test_the_level_is_kept() -> None:
    nulls = np.random.default_rng(0).standard_normal((4000, 5, 2))
    assert np.mean([judged(values).p < 0.05 for values in nulls]) < 0.056
