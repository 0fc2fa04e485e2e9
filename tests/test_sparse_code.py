"""Sparse codes and dictionaries, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import sparse_encode

from cvpipe import threads
from cvpipe.vision.dictionary import coded, gram_of, learn_dictionary
from cvpipe.vision.sparse_code import lasso, omp
from cvpipe.vision.unit import unit


def problem(rows: int = 60, atoms: int = 40, width: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return (
        rng.standard_normal((rows, width)).astype(np.float32),
        unit(rng.standard_normal((atoms, width)).astype(np.float32)),
    )


@pytest.mark.parametrize("penalty", [0.2, 0.5, 2.0])
def test_lasso_is_that_of_scikit_learn(penalty: float) -> None:
    rows, atoms = problem()
    want = sparse_encode(
        rows.astype(float), atoms.astype(float), algorithm="lasso_cd", alpha=penalty, max_iter=100_000
    )
    got = lasso(rows @ atoms.T, gram_of(atoms), penalty, 1e-6)
    np.testing.assert_allclose(got, want, atol=2e-3)
    assert 0 < np.mean(got == 0) < 1


def test_a_looser_tolerance_costs_next_to_nothing() -> None:
    rows, atoms = problem()

    def value(codes: np.ndarray) -> np.ndarray:
        return np.square(rows - codes @ atoms).sum(axis=1) / 2 + 0.5 * np.abs(codes).sum(axis=1)

    gram = gram_of(atoms)
    loose, tight = (value(lasso(rows @ atoms.T, gram, 0.5, t)) for t in (1e-3, 1e-6))
    np.testing.assert_allclose(loose, tight, rtol=1e-4)


@pytest.mark.parametrize("nonzero", [1, 3, 8])
def test_omp_is_that_of_scikit_learn(nonzero: int) -> None:
    rows, atoms = problem()
    want = sparse_encode(rows.astype(float), atoms.astype(float), algorithm="omp", n_nonzero_coefs=nonzero)
    got = omp(rows @ atoms.T, gram_of(atoms), nonzero)
    np.testing.assert_allclose(got, want, atol=1e-4)
    assert ((got != 0).sum(axis=1) == nonzero).all()


def test_a_row_that_is_an_atom_and_a_row_of_zeros() -> None:
    _, atoms = problem()
    rows = np.stack([2 * atoms[7], np.zeros(20, np.float32)])
    got = omp(rows @ atoms.T, gram_of(atoms), 5)
    assert np.flatnonzero(np.abs(got[0]) > 1e-3).tolist() == [7]
    assert got[0, 7] == pytest.approx(2, rel=1e-5)
    assert not got[1].any()
    assert not lasso(rows[1:] @ atoms.T, gram_of(atoms), 0.1).any()


def test_equal_atoms_and_zero_atoms_do_no_harm() -> None:
    rows, atoms = problem()
    atoms[3] = atoms[2]
    atoms[5] = 0
    gram = gram_of(atoms)
    for codes in (lasso(rows @ atoms.T, gram, 0.3), omp(rows @ atoms.T, gram, 19)):
        assert np.isfinite(codes).all()
        assert not codes[:, 5].any()


def test_a_dictionary_finds_the_atoms_that_rows_were_made_of() -> None:
    rng = np.random.default_rng(1)
    truth = unit(rng.standard_normal((12, 16)).astype(np.float32))
    codes = np.zeros((3000, 12), np.float32)
    for row in codes:
        row[rng.choice(12, 2, replace=False)] = rng.choice([-1, 1], 2) * rng.uniform(1, 2, 2)
    rows = codes @ truth
    found = learn_dictionary(rows, 16, 0.1, 60, rng)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)
    nearest = np.abs(found @ truth.T).max(axis=0)
    assert (nearest > 0.95).mean() >= 0.8  # the problem has local minima
    start = unit(rows[:16])

    def loss(atoms: np.ndarray) -> float:
        codes = coded(rows, atoms, 0.1)
        return float(np.square(rows - codes @ atoms).sum() / 2 + 0.1 * np.abs(codes).sum())

    assert loss(found) < 0.5 * loss(start)


def test_few_rows_are_the_atoms_and_threads_change_nothing() -> None:
    rows, _ = problem(rows=300)
    few = np.vstack([rows[:5], rows[:5]])
    assert len(learn_dictionary(few, 40, 0.2, 1, np.random.default_rng(0))) == 5
    found = []
    for count in (1, 2):
        with threads.allow(count):
            found.append(learn_dictionary(rows, 30, 0.2, 2, np.random.default_rng(0)))
    np.testing.assert_array_equal(*found)
