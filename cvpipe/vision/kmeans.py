"""k-means by Lloyd's iterations, in products of matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cvpipe.threads import map_blocks
from cvpipe.vision.assign import nearest

CHUNK = 8192
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""


@dataclass(frozen=True)
class Clustering:
    """What k-means found."""

    centres: np.ndarray
    """(k, d) float32."""
    inertia: float
    """Sum of the squared distances of the rows to the centres before the last update."""
    iterations: int


def kmeans(
    rows: np.ndarray, clusters: int, iterations: int, tolerance: float, rng: np.random.Generator
) -> Clustering:
    """Centres of (n, d) rows. If there are fewer distinct rows than clusters, the centres are these rows.

    Starts from distinct random rows (Forgy). A cluster that loses all its rows restarts at the row that is
    farthest from its centre. Ends when the inertia falls by less than `tolerance` times itself, or after
    `iterations`. Uses the threads that are allowed, each with its own part of the rows; the result does not
    depend on their number.

    Source: Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 1982; Forgy, "Cluster
    analysis of multivariate data", Biometrics 1965.
    """
    centres = distinct_rows(rows, clusters, rng).astype(np.float32)
    inertia = np.inf
    for iteration in range(1, iterations + 1):
        before = inertia
        centres, inertia = update(rows, centres)
        if before - inertia <= tolerance * inertia or iteration == iterations:
            return Clustering(centres, inertia, iteration)
    raise ValueError(f"at least one iteration is needed, got {iterations}")


def distinct_rows(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(<= count, d) random rows of which no two are equal; fewer only if there are no more."""
    found: dict[bytes, int] = {}
    for row in rng.permutation(len(rows)):
        found.setdefault(rows[row].tobytes(), row)
        if len(found) == count:
            break
    return rows[list(found.values())]


def update(rows: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, float]:
    """The mean of the rows nearest to each centre, and the inertia of the centres as they were.

    rows (n, d) of any real type, centres (k, d) float32, k <= n -> (k, d) float32. A centre without rows becomes the
    row that is farthest from its centre.
    """
    parts = map_blocks(lambda start, stop: _assigned(centres, rows[start:stop]), len(rows), CHUNK)
    sums, counts, distances = np.zeros(centres.shape), np.zeros(len(centres), np.int64), []
    for part_sums, part_counts, distance in parts:
        sums += part_sums
        counts += part_counts
        distances.append(distance)
    distance = np.concatenate(distances)
    means = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        means[empty] = rows[np.argsort(-distance, kind="stable")[: len(empty)]]
    return means, float(distance.sum(dtype=np.float64))


def _assigned(centres: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each centre the sum (k, d) and the number (k,) of its rows; (n,) squared distances."""
    from scipy import sparse

    index, distance = nearest(rows, centres)
    ones = np.ones(len(rows), np.float32)
    one_hot = sparse.csc_matrix((ones, index, np.arange(len(rows) + 1)), shape=(len(centres), len(rows)))
    return one_hot @ rows, np.bincount(index, minlength=len(centres)), distance
