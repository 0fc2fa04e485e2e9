"""Filters laid over images or maps: what they say there, pooled in regions as Features or in squares as Maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cvpipe.data import Features, Maps, offsets_of
from cvpipe.stages.filters._coding import Coding
from cvpipe.vision.dense_codes import Filters, gridded, pooled
from cvpipe.vision.region_pooling import Level, Pool


@dataclass(frozen=True)
class Layer:
    """Filters, how their responses become codes, and what is told of the codes."""

    filters: Filters
    coding: Coding
    stride: int
    """Between positions, px or positions of the layer below."""
    pools: Sequence[Pool]

    @property
    def width(self) -> int:
        """Numbers told of a region or a square."""
        return self.coding.codes * len(self.pools)

    def features(self, stacks: Iterable[np.ndarray], levels: Sequence[Level]) -> Features:
        """(H, W, C) for each of n images -> (n, regions * width) float32; zeros where no patch fits."""
        grids = [(level, level) if isinstance(level, int) else level for level in levels]
        width = self.width * sum(rows * columns for rows, columns in grids)
        rows = [np.empty((0, width), np.float32)]
        for stack in stacks:
            codes = pooled(stack, self.filters, self.coding.encode, self.stride, levels, self.pools)
            rows.append(np.zeros((1, width), np.float32) if codes is None else codes.reshape(1, width))
        return Features(values=np.concatenate(rows))

    def maps(self, stacks: Iterable[np.ndarray], side: int) -> Maps:
        """(H, W, C) for each of n images -> maps of `width` channels, one position for side x side; 0 x 0 where no
        square of them fits."""
        none = np.empty((0, 0, self.width), np.float32)
        found = [none]
        for stack in stacks:
            codes = gridded(stack, self.filters, self.coding.encode, self.stride, side, self.pools)
            found.append(none if codes is None else codes)
        size = np.array([stack.shape[:2] for stack in found[1:]], np.int32).reshape(-1, 2)
        values = np.concatenate([stack.reshape(-1, self.width) for stack in found])
        return Maps(offsets=offsets_of(size.prod(axis=1)), values=values, size=size)
