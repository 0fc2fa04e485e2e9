"""One chunk of images through a chain of stages: the place where the one law is used, cached and checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cvpipe.composite import Composite
from cvpipe.conductor.chunks import Chunk
from cvpipe.conductor.finite import refuse_not_finite
from cvpipe.conductor.heavy import make_ready
from cvpipe.conductor.keys import chunk_key
from cvpipe.conductor.links import Link, Place, is_stored
from cvpipe.conductor.sample import Drawn, RowSampler
from cvpipe.conductor.store import Nowhere, Store
from cvpipe.conductor.workers import peak_mb, resident_mb
from cvpipe.data import Batch, types
from cvpipe.errors import BadImage, CvpipeError, DataError, RunError
from cvpipe.stage import Classifier, Stage


@dataclass
class Work:
    """What a chunk cost at one stage."""

    place: Place
    key: str
    images: int
    seconds: float = 0.0
    computed: bool = False
    rss_mb: float = 0.0
    output: Batch | None = None
    """A batch without rows that tells type and width, see `described`."""
    rows: int = 0
    """Rows of the output: descriptors, patches; images where there are no such rows."""


def run_chunk(
    chain: Sequence[Link], chunk: Chunk, store: Store, sampler: RowSampler | None = None
) -> tuple[Any, list[Work]]:
    """What the last link gives for the wanted images, or what a sampler has `Drawn` of that; what it cost.

    Begins after the last link whose output is stored. What is going to be stored is computed for the whole chunk, what
    comes after that for the wanted images only. Raises `RunError` for a stage that fails or breaks its contract.
    """
    course = _Course(chunk, store)
    if sampler is None:
        return course.output(list(chain), chunk.wanted), course.work
    whole = bool(chain) and is_stored(
        chain[-1].stage
    )  # it is there: rows are drawn before images are cut out
    batch = course.output(list(chain), None if whole else chunk.wanted)
    ids = [chunk.images.ids[i] for i in chunk.wanted]
    kept = sampler.thin(batch, ids, chunk.wanted if whole else None)
    return Drawn(kept, ids, _rows(batch) / max(1, len(batch))), course.work


def run_rows(
    after: Sequence[Link], sampler: RowSampler | None, part: tuple[Chunk, Drawn]
) -> tuple[Any, list[Work]]:
    """What the links `after`, which work row by row, make of what a sampler keeps of drawn rows; what it cost."""
    chunk, drawn = part
    kept = sampler.thin(drawn.batch, drawn.ids) if sampler else drawn.batch
    course = _Course(chunk, Nowhere())
    # Some rows of the images are work for a share of the images: speeds are told for whole ones.
    images = round(_rows(kept) / drawn.per_image) if drawn.per_image else 0
    for link in after:
        kept = course.applied(link, kept, drawn.ids)
        course.work[-1].images = images
    return kept, course.work


@dataclass
class _Course:
    """One chunk on its way through a chain, from the end of the chain back to what is there already."""

    chunk: Chunk
    store: Store
    work: list[Work] = field(default_factory=list)
    forks: dict[Place, dict[bool, Any]] = field(default_factory=dict)
    """What the stage before a composite gave (for the whole chunk or not), kept for the next of its chains."""

    def output(self, chain: Sequence[Link], rows: np.ndarray | None) -> Any:
        """What the last link gives for some rows of the chunk, or for all of it."""
        if not chain:
            return self.chunk.images if rows is None else self.chunk.images[rows]
        *before, link = chain
        kept = self.forks.get(link.place, {})
        if (rows is None) not in kept:
            kept[rows is None] = self._new_output(link, before, rows)
        return kept[rows is None]

    def _new_output(self, link: Link, before: Sequence[Link], rows: np.ndarray | None) -> Any:
        if not is_stored(link.stage):
            return self._computed(link, before, rows)
        batch = self._stored(link, before)
        return batch if rows is None else batch[rows]

    def _stored(self, link: Link, before: Sequence[Link]) -> Any:
        name = chunk_key(link.key, self.chunk.images.ids, self.chunk.tokens)
        found = self.store.read(name)
        if found is None:
            batch = self._computed(link, before, None)
            note = {"type": type(batch).__name__, "stage": link.stage.name}
            self.store.write(name, batch.arrays(), note)
            return batch
        arrays, note = found
        batch = getattr(types, note["type"]).from_arrays(arrays, self.chunk.images)
        self.work += [Work(done.place, done.key, len(batch)) for done in (*before, link)]
        _describe(self.work[-1], batch)
        return batch

    def _computed(self, link: Link, before: Sequence[Link], rows: np.ndarray | None) -> Any:
        given = self._branches(link, before, rows) if link.branches else self.output(before, rows)
        ids = self.chunk.images.ids
        return self.applied(link, given, ids if rows is None else [ids[row] for row in rows])

    def applied(self, link: Link, given: Any, ids: Sequence[str]) -> Any:
        """What a link makes of what it is given for the images with these ids."""
        if not link.branches:
            make_ready(type(link.stage), _method(link.stage), given)
        began, peak = time.perf_counter(), peak_mb()
        batch = _apply(link.stage, given, ids)
        seconds, most = time.perf_counter() - began, peak_mb()
        memory = most if most > peak else resident_mb()  # at the end, much of it may have been given back
        self.work.append(Work(link.place, link.key, len(ids), seconds, True, memory))
        _describe(self.work[-1], batch)
        return batch

    def _branches(self, link: Link, before: Sequence[Link], rows: np.ndarray | None) -> list[Any]:
        fork = [done.place for done in before[-1:]]
        self.forks |= {place: {} for place in fork}
        outputs = [self.output([*before, *branch], rows) for branch in link.branches]
        for place in fork:
            del self.forks[place]
        return outputs


def _describe(work: Work, batch: Batch) -> None:
    work.output = batch[:0]
    work.rows = _rows(batch)


def _rows(batch: Any) -> int:
    return int(batch.counts.sum()) if getattr(batch, "per_row", ()) else len(batch)


def _apply(stage: Stage, given: Any, ids: Sequence[str]) -> Any:
    """One stage on a batch of images (a composite on what its chains gave), with its failures explained."""
    where = f"stage '{stage.name}' on images {ids[0]} … {ids[-1]}"
    try:
        out = _method(stage)(given)
    except BadImage as error:
        raise DataError(f"an image became unreadable during the run: {error}", where=where) from error
    except CvpipeError:
        raise
    except MemoryError as error:
        raise RunError("out of memory", where=where) from error
    except Exception as error:
        raise RunError(f"{type(error).__name__}: {error}", where=where) from error
    if not isinstance(out, Batch) or len(out) != len(ids):
        got = f"{len(out)} rows" if isinstance(out, Batch) else f"a {type(out).__name__}"
        raise RunError(f"broke its contract: {got} for {len(ids)} images", where=where)
    if stage.cached or not out.per_row:  # else reading the rows again would cost more than they did
        refuse_not_finite(out, ids, stage.name)
    return out


def _method(stage: Stage) -> Callable[[Any], Any]:
    if isinstance(stage, Composite):
        return stage.combine
    return stage.predict if isinstance(stage, Classifier) else stage.transform
