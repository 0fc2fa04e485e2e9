"""Mixtures of Gaussians with diagonal covariances: expectation maximisation in products of matrices.

The log density of a row x under a Gaussian is linear in (x, x^2, 1), so one product with a table of 2 d + 1 numbers
for each Gaussian gives all of them; and everything that the next mixture, or a Fisher vector, needs of the rows is the
sum of (x, x^2, 1) times the posterior of each Gaussian.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cvpipe.threads import map_blocks
from cvpipe.vision.assign import nearest
from cvpipe.vision.kmeans import kmeans

CHUNK = 8192
"""Rows that one thread takes at a time. A constant, so that sums never depend on the number of threads."""
BLOCK = 256
"""Rows in a block: their log densities stay in cache, and float32 sums over so few rows lose nothing."""
LEAST_POSTERIOR = np.float32(1e-6)
"""Smaller ones are left out of sums, as VLFeat's Fisher encoder does: they add up to 1e-4 at most (of 1)."""
SPARSE = 0.1
"""Share of posteriors above 0 up to which sums over these alone are faster than a product of matrices."""
LEAST_VARIANCE = 1e-9
"""Of rows that vary, as a share of their largest variance; of equal rows, squared unit of the rows."""
SEED_ITERATIONS, SEED_TOLERANCE = 10, 1e-3
"""Of the k-means that EM starts from: it only has to be near."""


@dataclass(frozen=True)
class Mixture:
    """k Gaussians in d dimensions."""

    weights: np.ndarray
    """(k,) float32, not negative, sum 1."""
    means: np.ndarray
    """(k, d) float32."""
    variances: np.ndarray
    """(k, d) float32, above 0."""


class Summary:
    """What rows tell about each Gaussian of a mixture. Rows are shifted by `centre`, or squares would drown
    differences."""

    def __init__(self, mixture: Mixture) -> None:
        weights, variances = mixture.weights.astype(np.float64), mixture.variances.astype(np.float64)
        self.centre = (weights @ mixture.means).astype(np.float32)
        self.means = mixture.means.astype(np.float64) - self.centre
        self.variances = variances
        self.steepness = np.where(weights > 0, 1 / np.sqrt(np.where(weights > 0, weights, 1)), 0)
        with np.errstate(divide="ignore"):  # a Gaussian of weight 0 gets no row
            heights = np.maximum(np.log(weights), -1e30)
        constant = heights - (np.log(2 * np.pi * variances) + self.means**2 / variances).sum(axis=1) / 2
        table = np.concatenate([self.means / variances, -0.5 / variances, constant[:, None]], axis=1)
        self.table = np.ascontiguousarray(table.T, np.float32)

    def sums(self, rows: np.ndarray) -> tuple[np.ndarray, float]:
        """(k, 2 d + 1) float64 sums of posterior times (x, x^2, 1) over (n, d) rows, and their log likelihood.

        Source: Sanchez et al., "Image classification with the Fisher vector", IJCV 2013, Algorithm 1, step 1.
        """
        from cvpipe.vision.posteriors import gather, softmax

        (longer, gaussians), width = self.table.shape, rows.shape[1]
        total, likelihood = np.zeros((gaussians, longer)), 0.0
        block = np.ones((min(BLOCK, len(rows)), longer), np.float32)
        logits = np.empty((len(block), gaussians), np.float32)
        heights = np.empty(len(block), np.float32)
        part = np.empty(total.shape, np.float32)
        for start in range(0, len(rows), BLOCK):
            count = min(BLOCK, len(rows) - start)
            x, out = block[:count], logits[:count]
            np.subtract(rows[start : start + count], self.centre, out=x[:, :width])
            np.square(x[:, :width], out=x[:, width:-1])
            np.matmul(x, self.table, out=out)
            some = softmax(out, LEAST_POSTERIOR, heights[:count])
            if some < SPARSE * out.size:
                part[:] = 0
                gather(out, x, part)
            else:
                np.matmul(out.T, x, out=part)
            total += part
            likelihood += float(heights[:count].sum(dtype=np.float64))
        return total, likelihood


def fit_mixture(
    rows: np.ndarray,
    gaussians: int,
    iterations: int,
    tolerance: float,
    floor: float,
    rng: np.random.Generator,
) -> Mixture:
    """A mixture for (n, d) rows; with fewer distinct rows than `gaussians` it has one for each of them.

    Starts from k-means. No variance is below `floor` times the largest variance of all rows, so that no
    Gaussian closes in on single rows. Ends when the mean log likelihood of a row (nat) grows by less than
    `tolerance`, or after `iterations`. Uses the threads that are allowed; the result does not depend on their
    number.

    Source: Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM algorithm", J. Royal
    Statistical Society B 1977; Bishop, "Pattern recognition and machine learning", 2006, section 9.2.2.
    """
    largest = float(rows.var(axis=0, dtype=np.float64).max(initial=0))
    least = max(floor, LEAST_VARIANCE) * (largest or 1.0)
    centres = kmeans(rows, gaussians, SEED_ITERATIONS, SEED_TOLERANCE, rng).centres
    mixture = _from_centres(rows, centres, least)
    likelihood = -np.inf
    for _ in range(iterations):
        before = likelihood
        mixture, likelihood = improved(rows, mixture, least)
        if likelihood - before < tolerance:
            break
    return mixture


def improved(rows: np.ndarray, mixture: Mixture, least: float) -> tuple[Mixture, float]:
    """One step of EM on (n, d) rows, with variances of at least `least`; the mean log likelihood before it, nat."""
    summary = Summary(mixture)
    parts: list[Any] = map_blocks(lambda start, stop: summary.sums(rows[start:stop]), len(rows), CHUNK)
    sums = np.sum([part for part, _ in parts], axis=0)
    likelihood = sum(part for _, part in parts) / len(rows)
    return _from_sums(sums, summary, least), likelihood


def _from_sums(sums: np.ndarray, summary: Summary, least: float) -> Mixture:
    """The mixture that is most likely for the sums; a Gaussian without rows stays where it is, with weight 0."""
    width = len(summary.centre)
    counts = sums[:, -1:]
    some = counts > 0
    share = sums / np.where(some, counts, 1)
    means = np.where(some, share[:, :width], summary.means)
    variances = np.where(some, share[:, width:-1] - means**2, summary.variances)
    return Mixture(
        (counts[:, 0] / counts.sum()).astype(np.float32),
        (means + summary.centre).astype(np.float32),
        np.maximum(variances, least).astype(np.float32),
    )


def _from_centres(rows: np.ndarray, centres: np.ndarray, least: float) -> Mixture:
    """Each Gaussian has the rows that are nearest to its centre."""
    start = Summary(Mixture(np.full(len(centres), 1 / len(centres)), centres, np.ones_like(centres)))

    def part(first: int, stop: int) -> np.ndarray:
        from scipy import sparse

        x = rows[first:stop] - start.centre
        index, _ = nearest(rows[first:stop], centres)
        shape = (len(centres), len(x))
        one_hot = sparse.csc_matrix((np.ones(len(x)), index, np.arange(len(x) + 1)), shape=shape)
        return one_hot @ np.concatenate([x, x**2, np.ones((len(x), 1))], axis=1)

    return _from_sums(np.sum(map_blocks(part, len(rows), CHUNK), axis=0), start, least)
