"""Thumbnails of the images that a comparison shows, all in one picture."""

from __future__ import annotations

import numpy as np

from cvpipe.conductor import workers
from cvpipe.data import Images
from cvpipe.report.sprite import Sprite, make_sprite, squared
from cvpipe.report.thumbnails import read_or_none

MOST_BYTES = 1_300_000
"""Of all thumbnails together; as text they take a third more. The page stays below 3 MB."""
FEW = 600
"""A page of a data set with no more images shows most of them: 360 that candidates disagree about, 240 on a map."""
Sheet = tuple[dict[str, int], Sprite]
"""The number of each image's thumbnail by id, and all in one picture."""


class Pictures:
    """Makes thumbnails of some images; of a small data set in advance."""

    def __init__(self, images: Images | None) -> None:
        self.images = images
        self._row_of = {name: row for row, name in enumerate(images.ids)} if images else {}
        self._all: Sheet | None = None

    def get_ready(self) -> None:
        """Make those of all images, by one thread, where a page will show most of them."""
        if 0 < len(self._row_of) <= FEW:
            self._all = _sheet({name: self._small(name) for name in self._row_of})

    def of(self, wanted: list[str]) -> Sheet:
        """Those of the images with these ids, maybe among others; what cannot be read is left out."""
        known = [name for name in wanted if name in self._row_of]
        if self._all and 2 * len(known) > len(self._row_of):
            return self._all
        with workers.over(workers.count(None), self._small, known) as made:
            return _sheet(dict(zip(known, made, strict=True)))

    def _small(self, name: str) -> np.ndarray | None:
        pixels = read_or_none(self.images, self._row_of[name]) if self.images else None
        return None if pixels is None else squared(pixels)


def _sheet(squares: dict[str, np.ndarray | None]) -> Sheet:
    found = {name: square for name, square in squares.items() if square is not None}
    return {name: place for place, name in enumerate(found)}, make_sprite(list(found.values()), MOST_BYTES)
