"""An encoder in every cell of grids over the image."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Annotated, Any, Literal, Self

import numpy as np
from annotated_types import MinLen

from cvpipe.data import Descriptors, Features, offsets_of
from cvpipe.options import Count
from cvpipe.stage import Learner, Part, Stage, learns
from cvpipe.stages.features._coding import Coder
from cvpipe.stages.features.bag_of_words import BagOfWords

PREFIX = "encoder__"
"""Before the names of what the encoder learned."""


def _words() -> BagOfWords:
    return BagOfWords(words=200)  # type: ignore[call-arg]  # it is not fitted yet


class SpatialPyramid(Learner):
    """The descriptors of each cell of several grids over the image, encoded by themselves, one after the other.

    Takes (M, D) descriptors, gives (n, cells * width of the encoder) float32: level after level, cells row by
    row. The encoder learns once, from all descriptors. A descriptor belongs to the cell that its centre lies
    in; cells include their upper and left edges, the outer ones also what lies outside the image. A cell
    without descriptors is what the encoder gives for none: zeros. Raises what the encoder raises.

    Lazebnik's histograms are counts, divided by the number of descriptors in the image: an encoder
    `bag_of_words: {norm: none}`, `weights: lazebnik`, and the stage `l1` after it.

    Source: Lazebnik, Schmid & Ponce, "Beyond bags of features: spatial pyramid matching for recognizing
    natural scene categories", CVPR 2006, sections 3.1 and 3.2.
    """

    # grids: 2 stands for 2 x 2 cells, [3, 1] for 3 rows of 1 cell
    levels: Annotated[tuple[Count | tuple[Count, Count], ...], MinLen(1)] = (1, 2, 4)
    # what makes a vector of a cell's descriptors
    encoder: Annotated[Stage, Part(Descriptors, Features)] = field(default_factory=_words)
    # lazebnik: level l of 0 to L counts 1 / 2^(L - l + 1), level 0 counts 1 / 2^L (equation 3)
    weights: Literal["equal", "lazebnik"] = "equal"

    encoder_: Stage

    @property
    def fit_rows(self) -> int | None:
        """Descriptors that the encoder needs; one if it does not learn."""
        return self.encoder.fit_rows if learns(self.encoder) else 1

    def fit(self, descriptors: Descriptors, labels: np.ndarray | None = None) -> Self:
        """Fit a copy of the encoder, `encoder_`."""
        encoder = copy.deepcopy(self.encoder)
        self.encoder_ = encoder.fit(descriptors, labels) if learns(encoder) else encoder
        return self

    def transform(self, descriptors: Descriptors) -> Features:
        """(M, D) descriptors -> (n, cells * width of the encoder) float32."""
        # Image by image, so that the codes of its descriptors serve all levels and are then forgotten.
        images = [self._of_one(descriptors[[i]]) for i in range(len(descriptors))]
        return Features(values=np.concatenate([self._of_one(descriptors[:0]), *images]))

    def _of_one(self, image: Descriptors) -> np.ndarray:
        """(1, cells * width of the encoder) float32 for an image, (0, …) for none."""
        encode = _encoding(self.encoder_, image)
        parts = []
        for level, weight in zip(self.levels, self._weights(), strict=True):
            rows, columns = (level, level) if isinstance(level, int) else level
            cells = encode(*by_cell(image, rows, columns))
            parts.append(cells.reshape(len(image), rows * columns * cells.shape[1]) * np.float32(weight))
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def _weights(self) -> list[float]:
        last = len(self.levels) - 1
        if self.weights == "equal":
            return [1.0] * len(self.levels)
        return [2.0 ** -(last - level + 1 if level else last) for level in range(len(self.levels))]

    def state(self) -> dict[str, Any]:
        """What the encoder learned, its names after `encoder__`, and the encoder's own name."""
        learned = self.encoder_.state() if isinstance(self.encoder_, Learner) else {}
        return {"encoder": self.encoder_.name} | {PREFIX + name: value for name, value in learned.items()}

    def restore(self, state: Mapping[str, Any]) -> Self:
        """Set what the encoder learned, as `state` gave it."""
        encoder = copy.deepcopy(self.encoder)
        if isinstance(encoder, Learner):
            encoder.restore({n.removeprefix(PREFIX): v for n, v in state.items() if n.startswith(PREFIX)})
        self.encoder_ = encoder
        return self


def _encoding(encoder: Stage, image: Descriptors) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """What makes (cells, width) float32 from the order and the offsets of an image's descriptors in cells."""
    if isinstance(encoder, Coder):
        codes = encoder.coded(image.values)
        return lambda order, offsets: encoder.pooled(codes[order], offsets)
    return lambda order, offsets: encoder.transform(_as_images(image, order, offsets)).values


def by_cell(descriptors: Descriptors, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The order that brings descriptors cell by cell of a grid, row by row, image after image; (cells + 1,) offsets."""
    cells = rows * columns
    image = np.repeat(np.arange(len(descriptors)), descriptors.counts)
    height, width = descriptors.size[image].T
    x, y = descriptors.xy.astype(np.float64).T + 0.5  # from the edge of the image, not a pixel's centre
    column = np.clip(np.floor(x * columns / np.maximum(width, 1)), 0, columns - 1).astype(np.int64)
    row = np.clip(np.floor(y * rows / np.maximum(height, 1)), 0, rows - 1).astype(np.int64)
    cell = image * cells + row * columns + column
    counts = np.bincount(cell, minlength=len(descriptors) * cells)
    return np.argsort(cell, kind="stable"), offsets_of(counts)


def _as_images(descriptors: Descriptors, order: np.ndarray, offsets: np.ndarray) -> Descriptors:
    """The same descriptors with each cell as an image."""
    cells = (len(offsets) - 1) // max(len(descriptors), 1)
    return Descriptors(
        offsets=offsets,
        values=descriptors.values[order],
        xy=descriptors.xy[order],
        scale=descriptors.scale[order],
        size=np.repeat(descriptors.size, cells, axis=0),
    )
