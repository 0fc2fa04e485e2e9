"""Dictionaries for sparse codes, learned from batches of rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cvpipe.threads import map_blocks
from cvpipe.vision.kmeans import distinct_rows
from cvpipe.vision.unit import unit

BATCH = 1024
"""Rows in a batch."""
BLOCK = 128
"""Rows that one thread codes at a time. A constant, so that results never depend on the number of threads."""
UNUSED = 1e-6
"""An atom whose share of the squared coefficients is below this, times the mean share, becomes a random row."""


def learn_dictionary(
    rows: np.ndarray, atoms: int, penalty: float, passes: int, rng: np.random.Generator
) -> np.ndarray:
    """(<= atoms, d) float32 atoms of length 1 that make |x - D' a|^2 / 2 + penalty |a|_1 small over (n, d) rows.

    Starts from distinct random rows; with fewer of these, there are fewer atoms. Each batch is coded with the
    atoms as they are; the sums of codes x codes and codes x rows over all batches so far, older ones counting less,
    tell where each atom should be. Uses the threads that are allowed.

    Source: Mairal, Bach, Ponce & Sapiro, "Online dictionary learning for sparse coding", ICML 2009, algorithms 1 and
    2, and section 3.4 (forgetting, unused atoms).
    """
    atoms_ = unit(distinct_rows(rows[np.any(rows, axis=1)], atoms, rng).astype(np.float32))
    squares, products = np.zeros((len(atoms_),) * 2), np.zeros(atoms_.shape)
    batches = max(1, len(rows) // BATCH)
    for step in range(1, passes * batches + 1):
        if (step - 1) % batches == 0:
            order = rng.permutation(len(rows))
        some = rows[order[(step - 1) % batches :: batches]]
        codes = coded(some, atoms_, penalty)
        # Of what was seen before, so that step t counts as t (t + 1): old codes are worse. It is nearly the paper's
        # (1 - 1 / t) to the power 2, since sums are of batches of one size.
        kept = (1 - 1 / step) * (1 - 1 / (step + 1))
        squares = kept * squares + (codes.T @ codes).astype(np.float64) / len(some)
        products = kept * products + (codes.T @ some).astype(np.float64) / len(some)
        atoms_ = _moved(atoms_, squares, products, some, rng)
    return atoms_


def coded(rows: np.ndarray, atoms: np.ndarray, penalty: float) -> np.ndarray:
    """(n, K) float32 codes by the lasso, in the threads that are allowed."""
    from cvpipe.vision.sparse_code import lasso

    gram = gram_of(atoms)
    part: Callable[[int, int], np.ndarray] = lambda a, b: lasso(rows[a:b] @ atoms.T, gram, penalty)  # noqa: E731
    return np.concatenate([np.empty((0, len(atoms)), np.float32), *map_blocks(part, len(rows), BLOCK)])


def gram_of(atoms: np.ndarray) -> np.ndarray:
    """(K, K) float32 products of (K, d) atoms, computed in float64."""
    atoms = atoms.astype(np.float64)
    return np.ascontiguousarray((atoms @ atoms.T).astype(np.float32))


def _moved(
    atoms: np.ndarray, squares: np.ndarray, products: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Each atom in turn to where the sums want it, of length 1; unused ones become random rows."""
    moved = atoms.astype(np.float64)
    used = squares.diagonal() > UNUSED * squares.diagonal().mean()
    for atom in np.flatnonzero(used):
        moved[atom] += (products[atom] - squares[atom] @ moved) / squares[atom, atom]
        moved[atom] /= max(np.linalg.norm(moved[atom]), 1e-12)
    unused = np.flatnonzero(~used)
    if len(unused):
        fresh = unit(rows[rng.integers(0, len(rows), len(unused))]).astype(np.float64)
        moved[unused] = np.where(np.any(fresh, axis=1, keepdims=True), fresh, moved[unused])
    return moved.astype(np.float32)
