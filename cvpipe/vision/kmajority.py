"""k-majority: k-means of strings of bits, with Hamming distances and a vote for each bit.

The squared Euclidean distance of two vectors of zeros and ones is the number of places where they differ, so that the
products of k-means serve here too, and are exact.

Source: Grana, Borghesani, Manfredi & Cucchiara, "A fast approach for integrating ORB descriptors in the bag of words
model", SPIE Multimedia Content Access 2013, section 3.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision.assign import nearest
from cvpipe.vision.kmeans import distinct_rows, update


def kmajority(
    rows: np.ndarray, clusters: int, iterations: int, tolerance: float, rng: np.random.Generator
) -> np.ndarray:
    """(k, B) packed centres, k <= clusters, of (n, B) packed strings of 8 B bits, both uint8.

    Starts from distinct random strings; if there are fewer of them than clusters, they are the centres. A bit of a
    centre is what most of its strings have; of a tie it stays as it was. A cluster that loses all its strings
    restarts at the one that is farthest from its centre. Ends when no centre changes, when the sum of the distances
    falls by less than `tolerance` times itself, or after `iterations`. Uses the threads that are allowed.
    """
    centres = np.unpackbits(distinct_rows(rows, clusters, rng), axis=1)
    bits = np.unpackbits(rows, axis=1)
    total = np.inf
    for _ in range(iterations):
        before = total
        means, total = update(bits, centres.astype(np.float32))
        voted = np.where(means == 0.5, centres, means > 0.5).astype(np.uint8)
        if np.array_equal(voted, centres):
            break
        centres = voted
        if before - total <= tolerance * total:
            break
    return np.packbits(centres, axis=1)


def nearest_strings(rows: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of (k, B) packed centres, k >= 1, for each of (n, B) packed strings, and its Hamming distance.

    -> (n,) int32 index, the first of equally near ones, and (n,) float32 number of bits that differ.
    """
    return nearest(np.unpackbits(rows, axis=1), np.unpackbits(centres, axis=1).astype(np.float32))
