import numpy as np

from cvpipe.statistics.holm import holm


def plain(p: list[float]) -> list[float]:
    """Holm's procedure as he tells it: the smallest level at which each hypothesis would be rejected."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    found = [0.0] * len(p)
    for place, i in enumerate(order):
        found[i] = min(1.0, max((len(p) - j) * p[order[j]] for j in range(place + 1)))
    return found


def test_against_the_procedure() -> None:
    p = np.random.default_rng(0).random(40) ** 3
    np.testing.assert_allclose(holm(p), plain(p.tolist()), rtol=1e-12)


def test_a_known_example() -> None:
    # R 4: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_one_and_none() -> None:
    assert holm([0.3]).tolist() == [0.3]
    assert holm([]).tolist() == []
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


def test_even_one_false_finding_is_rare() -> None:
    p = np.random.default_rng(0).random((4000, 15))
    any_found = np.mean([holm(row).min() < 0.05 for row in p])
    assert 0.035 < any_found < 0.061
    assert np.mean((p < 0.05).any(axis=1)) > 0.5  # without a correction
