"""What is found out about images before a pipeline sees them: content hashes, small ones for a probe."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Images
from cvpipe.errors import BadImage, DataError, Problem

PROBE_PX = 128
"""Side of a probe image, px: enough for every stage to find something, a few kB in the model."""


def tokens_of(images: Images) -> list[str]:
    """The content hash of every image. Raises `DataError` that names those which cannot be read."""
    tokens, problems = [], []
    for name, item in zip(images.ids, images.items, strict=True):
        try:
            tokens.append(item.token())
        except BadImage as error:
            problems.append(Problem(str(error), where=name))
    if problems:
        raise DataError(problems)
    return tokens


def probe_images(images: Images) -> list[np.ndarray]:
    """The upper left corners, at most 128 px wide and high, of the first, the middle and the last image; and coloured
    squares, in which detectors find something even if they do not in those."""
    places = sorted({0, len(images) // 2, len(images) - 1})
    corners = [np.ascontiguousarray(images[i][:PROBE_PX, :PROBE_PX]) for i in places]
    squares = np.random.default_rng(0).integers(0, 256, (PROBE_PX // 8, PROBE_PX // 8, 3), dtype=np.uint8)
    return [*corners, np.kron(squares, np.ones((8, 8, 1), np.uint8))]
