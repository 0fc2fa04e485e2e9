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
