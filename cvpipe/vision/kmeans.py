"""k-means by Lloyd's iterations, in products of matrices."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_info, threadpool_limits

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
    `iterations`. Uses as many threads as BLAS may have, each with its own part of the rows: products of one
    block are too small to share. The result does not depend on that number.

    Source: Lloyd, "Least squares quantization in PCM", IEEE Trans. Information Theory 1982; Forgy, "Cluster
    analysis of multivariate data", Biometrics 1965.
    """
    centres = distinct_rows(rows, clusters, rng).astype(np.float32)
    inertia = np.inf
    with _threads() as pool:
        for iteration in range(1, iterations + 1):
            before = inertia
            centres, inertia = _update(rows, centres, pool)
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


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as BLAS would use, while BLAS itself uses one."""
    blas = [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(max(blas, default=1)) as pool:
        yield pool


def _update(rows: np.ndarray, centres: np.ndarray, pool: ThreadPoolExecutor) -> tuple[np.ndarray, float]:
    """The mean of the rows nearest to each centre, and the inertia of the centres as they were."""
    parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    sums, counts, distances = np.zeros(centres.shape), np.zeros(len(centres), np.int64), []
    for part_sums, part_counts, distance in pool.map(partial(_assigned, centres), parts):
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
    index, distance = nearest(rows, centres)
    ones = np.ones(len(rows), np.float32)
    one_hot = sparse.csc_matrix((ones, index, np.arange(len(rows) + 1)), shape=(len(centres), len(rows)))
    return one_hot @ rows, np.bincount(index, minlength=len(centres)), distance
