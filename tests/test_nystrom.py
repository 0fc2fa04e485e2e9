from __future__ import annotations

import numpy as np
import pytest

from cvpipe.vision import nystrom


def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.exp(-0.2 * ((x[:, None] - y[None]) ** 2).sum(axis=2)).astype(np.float32)


def test_with_all_rows_as_landmarks_the_products_are_the_kernel() -> None:
    x = np.random.default_rng(0).normal(size=(60, 5))
    table = kernel(x, x)
    order, factor = nystrom.factorise(table)
    mapped = nystrom.features(np.ascontiguousarray(table[:, order]), factor)
    np.testing.assert_allclose(mapped @ mapped.T, table, atol=1e-5)


def test_some_landmarks_give_the_nystrom_approximation() -> None:
    rng = np.random.default_rng(0)
    x, landmarks = rng.normal(size=(40, 3)), rng.normal(size=(15, 3))
    order, factor = nystrom.factorise(kernel(landmarks, landmarks))
    mapped = nystrom.features(kernel(x, landmarks[order]), factor)
    inner = np.linalg.pinv(kernel(landmarks, landmarks).astype(float), rcond=1e-9)
    want = kernel(x, landmarks) @ inner @ kernel(x, landmarks).T
    np.testing.assert_allclose(mapped @ mapped.T, want, atol=2e-3)


def test_equal_landmarks_count_once() -> None:
    x = np.random.default_rng(0).normal(size=(20, 5))
    twice = np.concatenate([x, x])
    order, factor = nystrom.factorise(kernel(twice, twice))
    assert sorted(order % 20) == list(range(20))
    assert factor.shape == (20, 20)


def test_weights_of_features_become_coefficients_of_landmarks() -> None:
    rng = np.random.default_rng(0)
    x, landmarks, weights = rng.normal(size=(9, 4)), rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
    order, factor = nystrom.factorise(kernel(landmarks, landmarks))
    table = kernel(x, landmarks[order])
    coefficients = nystrom.fold(weights.astype(np.float32), factor)
    np.testing.assert_allclose(
        table @ coefficients, nystrom.features(table.copy(), factor) @ weights, rtol=1e-3, atol=1e-4
    )


def test_a_kernel_of_zeros_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel of zeros"):
        nystrom.factorise(np.zeros((3, 3), np.float32))


def wide(rows: int = 60, columns: int = 90) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)


def assert_narrowed(rows: np.ndarray, rank: int) -> None:
    """Products of features are those of the rows, each to a share of the lengths of its two; so are scores."""
    mapped, back = nystrom.narrow(rows)
    assert mapped.shape == (len(rows), rank)
    assert mapped.dtype == np.float32
    exact = rows.astype(float)
    length = np.linalg.norm(exact, axis=1)
    share = np.outer(length, length) + np.finfo(float).tiny
    np.testing.assert_allclose(mapped.astype(float) @ mapped.T / share, exact @ exact.T / share, atol=3e-6)
    weights = np.random.default_rng(1).normal(size=(rank, 3)).astype(np.float32)
    want = mapped.astype(float) @ weights
    got = exact @ back(weights).astype(float)
    assert (np.abs(got - want) <= 1e-5 * length[:, None] * np.linalg.norm(weights, axis=0)).all()


def test_narrow_features_have_the_products_of_the_rows() -> None:
    assert_narrowed(wide(), 60)
    assert nystrom.narrow(wide(90, 60))[0].shape == (90, 60)


def test_one_large_row_does_not_make_the_others_small() -> None:
    # Of an image as large as a map among small ones: compared with its square, those of the others are noise.
    rows = wide()
    rows[7] *= 3000
    rows[9] *= 1e-3
    assert_narrowed(rows, 60)


def test_rows_that_differ_little_keep_their_difference() -> None:
    rows = wide()
    rows[:, 0] = 3000
    mapped, _ = nystrom.narrow(rows)
    exact = rows.astype(float)
    apart = ((exact[0] - exact[1:]) ** 2).sum(axis=1)
    np.testing.assert_allclose(((mapped[0].astype(float) - mapped[1:]) ** 2).sum(axis=1), apart, rtol=1e-3)


def test_copies_and_sums_of_rows_and_zeros_add_nothing() -> None:
    rows = wide()
    rows[5], rows[6] = rows[3], 0
    assert_narrowed(rows, 58)
    rows[8] = rows[9] + rows[10]
    assert_narrowed(rows, 57)


def test_large_numbers_do_not_overflow() -> None:
    rows = wide()
    rows[4] *= 1e25
    with np.errstate(all="ignore"):
        mapped, _ = nystrom.narrow(rows)
    assert mapped.shape == (60, 60)
    assert np.isfinite(mapped).all()


def test_a_small_landmark_counts_as_much_as_a_large_one() -> None:
    # The intersection kernel of counts: an image with ten words beside one with a million.
    counts = np.random.default_rng(0).integers(0, 3, (20, 30)).astype(np.float32)
    counts[3] *= 1e6
    table = np.minimum(counts[:, None], counts[None]).sum(axis=2)
    order, _ = nystrom.factorise(table)
    assert sorted(order) == list(range(20))
