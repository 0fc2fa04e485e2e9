"""k-means by Lloyd's iterations, in products of matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cvpipe.vision.assign import nearest


@dataclass(frozen=True)
class Clustering:
    """What k-means found."""

    centres: np.ndarray
    """(k, d) float32."""
    inertia: float
    """Sum of the squared distances of the rows to their centres, at the last assignment."""
    iterations: int


def kmeans(
    rows: np.ndarray, clusters: int, iterations: int, tolerance: float, rng: np.random.Generator
) -> Clustering:
    """Centres of (n, d) rows. If there are fewer distinct rows than clusters, the centres are these rows.

    Starts from distinct random rows (Forgy). A cluster that loses all its rows restarts at the row that is
    farthest from its centre. Ends when the inertia falls by less than `tolerance` times itself, or after
    `iterations`.

    Source: Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 1982; Forgy 1965.
    """
    centres = distinct_rows(rows, clusters, rng).astype(np.float32)
    inertia = np.inf
    for iteration in range(1, iterations + 1):
        index, distance = nearest(rows, centres)
        before, inertia = inertia, float(distance.sum(dtype=np.float64))
        centres = _means(rows, index, distance, len(centres))
        if before - inertia <= tolerance * inertia:
            break
    return Clustering(centres, inertia, iteration)


def distinct_rows(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(<= count, d) random rows of which no two are equal; fewer only if there are no more."""
    found: dict[bytes, int] = {}
    for row in rng.permutation(len(rows)):
        found.setdefault(rows[row].tobytes(), row)
        if len(found) == count:
            break
    return rows[list(found.values())]


def _means(rows: np.ndarray, index: np.ndarray, distance: np.ndarray, clusters: int) -> np.ndarray:
    """(clusters, d) float32 means of the clusters; an empty one gets the farthest row not yet taken."""
    one_hot = sparse.csc_matrix(
        (np.ones(len(rows), np.float32), index, np.arange(len(rows) + 1)), shape=(clusters, len(rows))
    )
    counts = np.bincount(index, minlength=clusters)
    means = (one_hot @ rows) / np.maximum(counts, 1)[:, None].astype(np.float32)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        means[empty] = rows[np.argsort(-distance, kind="stable")[: len(empty)]]
    return means.astype(np.float32, copy=False)
