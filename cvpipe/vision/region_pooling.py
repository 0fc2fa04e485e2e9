"""Vectors at the positions of a grid, pooled in regions as they come: some rows of positions at a time.

Regions of several grids overlap. The borders of all of them cut the positions into rectangles; sums are kept for
these, so a vector is added once, however many regions hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

Pool = Literal["mean", "std", "max", "sum"]
"""How the vectors of a region become one, each component by itself."""
Level = int | tuple[int, int]
"""A grid of regions: 2 stands for 2 x 2, (3, 1) for 3 rows of 1."""


class RegionSums:
    """Sums, sums of squares and largest values of K numbers in each rectangle of height x width positions."""

    def __init__(self, height: int, width: int, levels: Sequence[Level], pools: Sequence[Pool]) -> None:
        self.grids = [(level, level) if isinstance(level, int) else level for level in levels]
        self.sides = (height, width)
        self.pools = pools
        self.rows, self.columns = (
            sorted({cut for grid in self.grids for cut in _cuts(side, grid[axis])})
            for axis, side in enumerate(self.sides)
        )
        self.origin: np.ndarray | None = None

    def add(self, first: int, vectors: np.ndarray) -> None:
        """Vectors (rows, width, K) float32 of whole rows from `first` on, which no cut of `rows` divides."""
        if self.origin is None:
            self._start(vectors[0, 0].copy())
        row = int(np.searchsorted(self.rows, first, side="right")) - 1
        vectors = np.ascontiguousarray(vectors)
        for column, (left, right) in enumerate(pairwise(self.columns)):
            self._add(self.sums[:, row, column], vectors, left, right)

    def _start(self, origin: np.ndarray) -> None:
        self.origin = origin
        self.sums = np.zeros((3, len(self.rows) - 1, len(self.columns) - 1, len(origin)))
        self.sums[2] = -np.inf

    def _add(self, sums: np.ndarray, vectors: np.ndarray, left: int, right: int) -> None:
        from cvpipe.vision import _codes_kernel

        if "max" in self.pools:
            np.maximum(sums[2], vectors[:, left:right].max(axis=(0, 1)), out=sums[2])
        # from the origin: the deviation of equal vectors is then exactly 0
        _codes_kernel.add_sums(vectors, left, right, self.origin, sums[0], sums[1])

    def pooled(self) -> np.ndarray:
        """(regions, pools, K) float32, level after level, row by row; a region without positions has zeros."""
        return np.stack([self._region(*region) for grid in self.grids for region in self._regions(grid)])

    def _regions(self, grid: tuple[int, int]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        rows, columns = (_cuts(side, parts) for side, parts in zip(self.sides, grid, strict=True))
        return [(row, column) for row in pairwise(rows) for column in pairwise(columns)]

    def _region(self, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
        """(pools, K) float32 of one region, from the rectangles in it."""
        assert self.origin is not None
        count = (rows[1] - rows[0]) * (columns[1] - columns[0])
        if not count:
            return np.zeros((len(self.pools), len(self.origin)), np.float32)
        row, column = (
            slice(cuts.index(part[0]), cuts.index(part[1]))
            for cuts, part in ((self.rows, rows), (self.columns, columns))
        )
        inside = self.sums[:, row, column].reshape(3, -1, len(self.origin))
        mean = inside[0].sum(axis=0) / count
        found = {
            "mean": self.origin + mean,
            "sum": (self.origin + mean) * count,
            "max": inside[2].max(axis=0),
        }
        if "std" in self.pools:
            found["std"] = np.sqrt(np.maximum(inside[1].sum(axis=0) / count - mean**2, 0))
        return np.stack([found[pool] for pool in self.pools]).astype(np.float32)


def _cuts(side: int, parts: int) -> list[int]:
    return [side * part // parts for part in range(parts + 1)]
