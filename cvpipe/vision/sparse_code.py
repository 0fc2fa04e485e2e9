"""Sparse codes: each row as a sum of few atoms of a dictionary, compiled. Import it where it is used: numba takes
half a second to load.

All three need of a row x only its products with the atoms, q = D x, and of the dictionary only G = D D'. So a dense
encoder may fold whitening into the atoms, and rows never have to be kept.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision._lasso_kernel import TINY, fast, lasso_codes


@fast
def _solve(factor: np.ndarray, count: int, right: np.ndarray, out: np.ndarray) -> None:
    """x with L L' x = right for a lower triangle L of `count` rows."""
    for i in range(count):
        value = right[i]
        for j in range(i):
            value -= factor[i, j] * out[j]
        out[i] = value / factor[i, i]
    for i in range(count - 1, -1, -1):
        value = out[i]
        for j in range(i + 1, count):
            value -= factor[j, i] * out[j]
        out[i] = value / factor[i, i]


@fast
def _grow(factor: np.ndarray, chosen: np.ndarray, count: int, gram: np.ndarray, atom: int) -> bool:
    """Add a row to the Cholesky factor of the chosen atoms' Gram matrix; False if the atom is a sum of them."""
    rest = gram[atom, atom]
    for i in range(count):
        value = gram[atom, chosen[i]]
        for j in range(i):
            value -= factor[i, j] * factor[count, j]
        factor[count, i] = value / factor[i, i]
        rest -= factor[count, i] ** 2
    if rest <= TINY:
        return False
    factor[count, count] = np.sqrt(rest)
    return True


@fast
def _omp(responses: np.ndarray, gram: np.ndarray, atoms: int) -> np.ndarray:
    codes = np.zeros_like(responses)
    factor = np.zeros((atoms, atoms), np.float32)
    chosen = np.empty(atoms, np.int64)
    right, value = np.empty(atoms, np.float32), np.empty(atoms, np.float32)
    left = np.empty(responses.shape[1], np.float32)
    for row in range(len(responses)):
        left[:] = responses[row]
        for count in range(atoms):
            atom = np.argmax(np.abs(left))
            if abs(left[atom]) <= TINY or not _grow(factor, chosen, count, gram, atom):
                break
            chosen[count], right[count] = atom, responses[row, atom]
            _solve(factor, count + 1, right, value)
            left[:] = responses[row]
            for i in range(count + 1):
                codes[row, chosen[i]] = value[i]
                for j in range(len(left)):
                    left[j] -= value[i] * gram[chosen[i], j]
    return codes


def lasso(responses: np.ndarray, gram: np.ndarray, penalty: float, tolerance: float = 1e-3) -> np.ndarray:
    """(n, K) float32 codes a that minimise |x - D' a|^2 / 2 + penalty |a|_1.

    responses (n, K) float32, products of rows and atoms, are overwritten; gram (K, K) float32. A code is done when
    no coefficient moves by more than `tolerance` times the largest response.

    Source: Friedman, Hastie & Tibshirani, "Regularization paths for generalized linear models via coordinate descent",
    Journal of Statistical Software 2010, section 2.2 (covariance updates).
    """
    return lasso_codes(responses, gram, np.float32(penalty), np.float32(tolerance))


def omp(responses: np.ndarray, gram: np.ndarray, atoms: int) -> np.ndarray:
    """(n, K) float32 codes of at most `atoms` coefficients: each time the atom nearest to what is left, then all again.

    responses (n, K) float32, products of rows and atoms of length 1; gram (K, K) float32.

    Source: Rubinstein, Zibulevsky & Elad, "Efficient implementation of the K-SVD algorithm using batch orthogonal
    matching pursuit", Technion CS-2008-08, section 3.
    """
    return _omp(responses, gram, min(atoms, len(gram)))
