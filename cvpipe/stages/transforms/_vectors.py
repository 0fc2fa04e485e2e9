"""What transforms of vectors share: they work on descriptors and on features alike."""

from __future__ import annotations

from typing import TypeVar

from cvpipe.data import Descriptors, Features

Vectors = TypeVar("Vectors", Descriptors, Features)
"""A batch of vectors; what goes in comes out."""


def spans(batch: Descriptors | Features) -> list[slice]:
    """The rows to multiply at a time: those of one image, so that the last bit of a product depends on nothing else.

    Features are multiplied together: one row at a time would read the matrix again for each.
    """
    if isinstance(batch, Features):
        return [slice(0, len(batch))]
    return [batch.rows(image) for image in range(len(batch))]
