"""Data sets in chunks: what a worker does at a time, and what the cache keeps as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cvpipe.data import Images

CHUNK = 32
"""Images in a chunk. A constant, so that results do not depend on the number of workers: enough to make the work
per chunk large beside its bookkeeping, few enough that the dense descriptors of a chunk fit in some 100 MB."""


@dataclass
class Chunk:
    """Some images with their content hashes, and which of them are wanted."""

    first: int
    """The place of the first image in the data set."""
    images: Images
    tokens: list[str]
    wanted: np.ndarray
    """Sorted positions within the chunk."""


def chunked(images: Images, tokens: Sequence[str], rows: np.ndarray) -> list[Chunk]:
    """The chunks, in data-set order, that hold one of `rows` (sorted). They are whole, so that their keys stay."""
    firsts, starts = np.unique(rows // CHUNK * CHUNK, return_index=True)
    return [
        Chunk(first, images[first : first + CHUNK], list(tokens[first : first + CHUNK]), wanted - first)
        for first, wanted in zip(firsts.tolist(), np.split(rows, starts[1:]), strict=False)
    ]
