import numpy as np
import pytest

from cvpipe.comparison.tsne import tsne


def clusters(n: int = 90) -> np.ndarray:
    """Three of them in ten dimensions, as principal components."""
    rng = np.random.default_rng(0)
    values = 12 * np.eye(3, 10)[np.arange(n) % 3] + rng.standard_normal((n, 10))
    values -= values.mean(axis=0)
    return (values @ np.linalg.svd(values)[2].T).astype(np.float32)


def test_neighbours_stay_neighbours() -> None:
    places = tsne(clusters())
    assert places.shape == (90, 2)
    assert places.dtype == np.float32
    distances = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (distances.argmin(axis=1) % 3 == np.arange(90) % 3).all()


def test_twice_is_the_same() -> None:
    np.testing.assert_array_equal(tsne(clusters()), tsne(clusters()))


@pytest.mark.parametrize(
    "values", [np.zeros((5, 4)), np.ones((1, 3)), np.arange(2.0)[:, None], np.zeros((0, 2))]
)
def test_too_little_for_a_map(values: np.ndarray) -> None:
    places = tsne(values.astype(np.float32))
    assert places.shape == (len(values), 2)
    assert np.isfinite(places).all()


def test_one_component_and_few_images() -> None:
    assert np.isfinite(tsne(np.arange(8, dtype=np.float32)[:, None])).all()
