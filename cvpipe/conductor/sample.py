"""Rows for a learner: drawn by image first, then by row, so that memory does not grow with the data set."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvpipe.data.seeds import generator

ROWS_PER_IMAGE = 32
"""Rows worth opening an image for. With more images than rows / 32, only some of them are drawn: neighbouring rows
of one image say little that is new, but reading an image costs the same for 1 row as for 32."""

FEWEST = 8
"""Images that are drawn at least, so that a flat one among them does not leave a learner without rows."""

MOST_PICKED = 4_000_000
"""Rows that draws are kept of, 4 bytes each: those of a vocabulary of 8,000 words."""

OVERHEAD = 80
"""What else a draw takes, as so many rows."""

SPARE = 2
"""Rows kept of an image, as a multiple of its share, to make up for images that have fewer."""


def drawn_images(
    train: np.ndarray, rows: int, seed: int | None, per_image: int = ROWS_PER_IMAGE
) -> np.ndarray:
    """The training images to draw rows from, sorted; `per_image` rows are worth opening one for."""
    most = max(FEWEST, rows // per_image)
    if len(train) <= most:
        return train
    return np.sort(generator(seed, "images").choice(train, most, replace=False))


@dataclass(frozen=True)
class Drawn:
    """Rows drawn from one chunk of images."""

    batch: Any
    ids: list[str]
    """Of the images."""
    per_image: float
    """Rows that an image of the chunk had before, in the mean."""


class RowSampler:
    """Cuts batches down to a share of each image's rows while they are still in the worker."""

    def __init__(self, rows: int, images: int, seed: int | None) -> None:
        self.share = -(-rows // max(1, images)) * SPARE
        self.rows = rows
        self.seed = seed

    def thin(self, batch: Any, ids: Sequence[str], images: np.ndarray | None = None) -> Any:
        """At most `share` rows of each image, or of some `images` (sorted) whose ids are `ids`; the draw depends on
        nothing but the seed and the id. Batches without such rows (features, images) keep everything.
        """
        if not getattr(batch, "per_row", ()):
            return batch if images is None else batch[images]
        places = np.arange(len(batch)) if images is None else images
        rows = [
            self._pick(int(n), i) + start
            for n, i, start in zip(batch.counts[places], ids, batch.offsets[places], strict=True)
        ]
        return batch.take_rows(np.concatenate([np.empty(0, np.int64), *rows]), images)

    def _pick(self, count: int, image_id: str) -> np.ndarray:
        if count <= self.share:
            return np.arange(count)
        return picks.get((self.seed, image_id, count, self.share))

    def fair(self, parts: Sequence[Any]) -> RowSampler | None:
        """The sampler that cuts these parts, thinned by this one, to the largest equal share of every image with which
        no more than about `rows` are kept; None if they are that few already."""
        has_rows = getattr(parts[0], "per_row", ())
        counts = np.concatenate([part.counts for part in parts]) if has_rows else np.empty(0, np.int64)
        if counts.sum() <= self.rows:
            return None
        cut = copy.copy(self)
        cut.share = _fair_share(counts, self.rows)
        return cut


class Picks:
    """Draws of some rows of an image, which all splits make again: they are kept, up to a number of rows."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._held: dict[tuple[int | None, str, int, int], np.ndarray] = {}
        self._rows = 0

    def get(self, draw: tuple[int | None, str, int, int]) -> np.ndarray:
        """Sorted rows, by seed, id of the image, rows that it has, and rows to draw."""
        found = self._held.get(draw)
        return self._drawn(draw) if found is None else found

    def _drawn(self, draw: tuple[int | None, str, int, int]) -> np.ndarray:
        seed, image_id, count, share = draw
        rows = np.sort(generator(seed, "rows", image_id).choice(count, share, replace=False)).astype(np.int32)
        if self._rows > self.most:
            self._held, self._rows = {}, 0
        self._held[draw] = rows
        self._rows += share + OVERHEAD
        return rows


picks = Picks(MOST_PICKED)


def _fair_share(counts: np.ndarray, rows: int) -> int:
    """The largest c with sum(min(count, c)) <= rows (water filling), at least 1."""
    counts = np.sort(counts)
    kept = np.cumsum(counts) + counts * np.arange(len(counts) - 1, -1, -1)  # rows kept with c = counts[i]
    full = int(np.searchsorted(kept, rows, side="right"))  # images that keep everything
    taken = int(counts[:full].sum())
    return max(1, (rows - taken) // (len(counts) - full))
