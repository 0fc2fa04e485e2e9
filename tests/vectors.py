"""Batches of descriptors and features for tests of transforms and encoders."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Descriptors, Features, offsets_of


def descriptors(
    counts: list[int], width: int = 8, seed: int = 0, values: np.ndarray | None = None
) -> Descriptors:
    """Images of 60 x 90 px with so many descriptors each, anywhere in them."""
    rng = np.random.default_rng(seed)
    rows = sum(counts)
    return Descriptors(
        offsets=offsets_of(counts),
        values=rng.normal(size=(rows, width)).astype(np.float32) if values is None else values,
        xy=(rng.random((rows, 2)) * (89, 59)).astype(np.float32),
        scale=np.ones(rows, np.float32),
        size=np.full((len(counts), 2), (60, 90), np.int32),
    )


def clusters(counts: list[int], width: int = 8, centres: int = 5, seed: int = 0) -> Descriptors:
    """The same with descriptors in groups of different places, spreads and sizes, as real ones are."""
    rng = np.random.default_rng(seed)
    group = np.minimum(rng.geometric(0.3, sum(counts)), centres) - 1
    middle = rng.normal(size=(centres, width)) * 2
    spread = rng.uniform(0.3, 1.5, (centres, width))
    values = middle[group] + spread[group] * rng.normal(size=(len(group), width))
    return descriptors(counts, width, seed, values.astype(np.float32))


def features(rows: int, width: int = 12, seed: int = 0) -> Features:
    """Features of both signs."""
    return Features(values=np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32))
