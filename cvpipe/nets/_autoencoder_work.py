"""What the compiled steps of an autoencoder's training work on: views of memory that stays, and numbers.

What is computed with them is in `_autoencoder_step`, what they mean in `autoencoder`. K hidden units, rows of d.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

TASK_ROWS, TASK_PIECE, TASK_UNITS, TASK_GOAL, TASK_STEP = range(5)
"""Places in `Work.task`: rows of the batch; rows in a piece; hidden units in a piece; what is wanted; the number of the
step of Adam, from 1."""
LOSSES, GRADIENT, STEP = range(3)
"""What is wanted; each includes those before."""


class Matrices(NamedTuple):
    """Parameters, or their slopes, as views of one vector; without weights of its own the decoder is the encoder."""

    vector: np.ndarray
    encoder: np.ndarray
    """(K, d), transposed."""
    decoder: np.ndarray
    """(K, d)."""
    bias: np.ndarray
    output: np.ndarray


class Given(NamedTuple):
    """Where a batch comes from; what there is no need for has no rows."""

    rows: np.ndarray
    """(N, d), all of them."""
    order: np.ndarray
    """int64, which of them the batch has."""
    coins: np.ndarray
    """(n, d), what the numbers of the batch are multiplied by."""
    added: np.ndarray
    """(n, d), what is added to them."""
    kept: np.ndarray
    """(n, K), what its hidden units are multiplied by."""


class Scratch(NamedTuple):
    """What is computed on the way, for up to n rows; targets and what is seen may be the same, so may hidden units and
    those used."""

    targets: np.ndarray
    seen: np.ndarray
    hidden: np.ndarray
    used: np.ndarray
    residual: np.ndarray
    back: np.ndarray
    sums: np.ndarray
    """(pieces, K)."""
    back_sums: np.ndarray
    """(pieces, K)."""
    residual_sums: np.ndarray
    """(pieces, d)."""
    penalty_slopes: np.ndarray
    """(threads, K): each computes all of them."""


class Found(NamedTuple):
    """The loss and its sums, float64."""

    losses: np.ndarray
    """(3,), reconstruction error, penalty and decay."""
    errors: np.ndarray
    """Squared residuals in each piece of rows."""
    squares: np.ndarray
    """Squared weights in each piece of them."""


class Terms(NamedTuple):
    """The objective, and how steps are taken."""

    sigmoid: bool
    penalty: int
    """0 for none, 1 for l1, 2 for KL."""
    rho: float
    beta: float
    edge: float
    decay: float
    tied: bool
    adam: tuple[float, float, float, float]
    """Its constants."""


class Work(NamedTuple):
    """All that a step needs."""

    task: np.ndarray
    """(5,) int64."""
    sgemm: int
    weights: Matrices
    slopes: Matrices
    mean: np.ndarray
    """Adam's, like the vector; no numbers where no step is wanted."""
    square: np.ndarray
    given: Given
    scratch: Scratch
    found: Found
    terms: Terms
