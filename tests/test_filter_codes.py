"""Codes of responses, against the formulas."""

from __future__ import annotations

import numpy as np

from cvpipe.vision import filter_codes


def responses(rows: int = 40, width: int = 9, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32) * 3


def test_triangle_is_coates_formula() -> None:
    rows, centres = responses(), responses(20, seed=1)
    z = np.linalg.norm(rows[:, None].astype(np.float64) - centres, axis=2)
    want = np.maximum(0, z.mean(axis=1, keepdims=True) - z)
    got = filter_codes.triangle(rows, filter_codes.distance_table(centres))
    np.testing.assert_allclose(got, want, atol=1e-5)
    assert 0.2 < np.mean(got == 0) < 0.8


def test_a_row_that_is_a_centre_is_at_distance_zero_from_it() -> None:
    centres = responses(5)
    got = filter_codes.triangle(centres, filter_codes.distance_table(centres))
    z = np.linalg.norm(centres[:, None] - centres, axis=2)
    np.testing.assert_allclose(np.diag(got), z.mean(axis=1), atol=5e-3)  # the root of a rounding error


def test_sigmoid_does_not_overflow() -> None:
    z = np.array([[-1e4, -2, 0, 2, 1e4]], np.float32)
    want = [[0, 1 / (1 + np.exp(2)), 0.5, 1 / (1 + np.exp(-2)), 1]]
    np.testing.assert_allclose(filter_codes.sigmoid(z), want, atol=1e-6)


def test_sigmoid_is_exact_to_float32() -> None:
    z = np.linspace(-90, 90, 100_001, dtype=np.float32)[None]
    want = 1 / (1 + np.exp(-z.astype(np.float64)))
    np.testing.assert_allclose(filter_codes.sigmoid(z.copy()), want, atol=1.5e-7, rtol=0)
    assert np.isnan(filter_codes.sigmoid(np.array([[np.nan]], np.float32))).all()


def test_the_winner_takes_it_all() -> None:
    z = np.array([[1, 5, 5], [-3, -2, -4]], np.float32)
    assert filter_codes.winner(z).tolist() == [[0, 1, 0], [0, 1, 0]]


def test_signs_are_split_or_dropped() -> None:
    z = np.array([[-2, 0.5, 3]], np.float32)
    assert filter_codes.unsigned(z.copy(), "split", 1).tolist() == [[0, 0, 2, 1, 0, 0]]
    assert filter_codes.unsigned(z.copy(), "absolute", 1).tolist() == [[1, 0, 2]]
