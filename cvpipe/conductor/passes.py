"""Passes over a list of images: cut into chunks, sent through a chain of stages by the workers, costs noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.chunks import Chunk, chunked
from cvpipe.conductor.course import Work, run_chunk, run_rows
from cvpipe.conductor.ledger import Ledger
from cvpipe.conductor.links import Link, row_by_row
from cvpipe.conductor.sample import Drawn, RowSampler
from cvpipe.conductor.store import Store
from cvpipe.data import Images

P = TypeVar("P")


@dataclass
class Passes:
    """Passes over one list of images."""

    images: Images
    tokens: Sequence[str]
    """Content hash of each image."""
    store: Store
    jobs: int
    ledger: Ledger

    def __post_init__(self) -> None:
        self.images = self.images.expecting(self.tokens)

    def stream(self, chain: Sequence[Link], rows: np.ndarray) -> Iterator[Any]:
        """What the chain gives for `rows` (sorted) of the images, chunk after chunk."""
        chunks = chunked(self.images, self.tokens, rows)
        return self._over(chunks, partial(run_chunk, chain, store=self.store), chunks)

    def draw(self, chain: Sequence[Link], rows: np.ndarray, sampler: RowSampler) -> Iterator[Any]:
        """What a sampler leaves of what the chain gives for `rows` (sorted) of the images, chunk after chunk.

        Links at the end that work row by row get no more than what is left: they may make more bytes of it.
        """
        before, after = row_by_row(chain)
        chunks = chunked(self.images, self.tokens, rows)
        work = partial(run_chunk, before, store=self.store, sampler=sampler)
        drawn: list[Drawn] = list(self._over(chunks, work, chunks))
        cut = partial(run_rows, after, sampler.fair([part.batch for part in drawn]))
        return self._over(chunks, cut, list(zip(chunks, drawn, strict=True)))

    def _over(
        self, chunks: Sequence[Chunk], work: Callable[[P], tuple[Any, list[Work]]], parts: Sequence[P]
    ) -> Iterator[Any]:
        """What the workers make of parts that belong to chunks, in order."""
        with workers.over(self.jobs, work, parts) as done:
            for chunk, (given, costs) in zip(chunks, done, strict=True):
                self.ledger.transformed(chunk.first, len(chunk.images), costs)
                yield given
