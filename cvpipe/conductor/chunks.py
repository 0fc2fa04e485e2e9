"""One chunk of images through a chain of stages: the place where the one law is used, cached and checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cvpipe.conductor.keys import chunk_key
from cvpipe.conductor.store import Store
from cvpipe.conductor.workers import resident_mb
from cvpipe.data import Batch, Images, types
from cvpipe.errors import BadImage, CvpipeError, DataError, RunError
from cvpipe.stage import Classifier, Stage

CHUNK = 32
"""Images in a chunk. A constant, so that results do not depend on the number of workers: enough to make the work
per chunk large beside its bookkeeping, few enough that the dense descriptors of a chunk fit in some 100 MB."""


@dataclass(frozen=True)
class Link:
    """A stage that is ready to transform (fitted if it learns), and its key."""

    stage: Stage
    key: str


@dataclass
class Work:
    """What a chunk cost at one stage."""

    position: int
    images: int
    seconds: float = 0.0
    computed: bool = False
    rss_mb: float = 0.0
    output: Batch | None = None
    """A batch without rows that tells type and width, see `described`."""
    rows: int = 0
    """Rows of the output: descriptors, patches; images where there are no such rows."""


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


def run_chunk(
    chain: Sequence[Link], chunk: Chunk, store: Store, keep: Callable[[Any, Sequence[str]], Any]
) -> tuple[Any, list[Work]]:
    """What the last link gives for the wanted images, passed with their ids through `keep` in the worker; what it cost.

    Begins after the last link whose output is stored. What is going to be stored is computed for the whole chunk,
    what comes after that for the wanted images only. Raises `RunError` for a stage that fails or breaks its
    contract.
    """
    start, batch = _resume(chain, chunk, store)
    work = [Work(position, len(chunk.images)) for position in range(start)]
    if start:
        _describe(work[-1], batch)
    stored = [position for position, link in enumerate(chain) if is_stored(link.stage)]
    cut = stored[-1] + 1 if stored else 0
    for position, link in enumerate(chain[start:], start):
        batch = batch[chunk.wanted] if position == cut else batch
        began = time.perf_counter()
        batch = _apply(link.stage, batch, chunk)
        work.append(Work(position, len(batch), time.perf_counter() - began, True, resident_mb()))
        _describe(work[-1], batch)
        if is_stored(link.stage):
            note = {"type": type(batch).__name__, "stage": link.stage.name}
            store.write(chunk_key(link.key, chunk.images.ids, chunk.tokens), batch.arrays(), note)
    batch = batch[chunk.wanted] if cut == len(chain) else batch
    return keep(batch, [chunk.images.ids[i] for i in chunk.wanted]), work


def is_stored(stage: Stage) -> bool:
    """Whether what a stage gives is kept in the cache, chunk by chunk."""
    return stage.cached and not isinstance(stage, Classifier)


def _describe(work: Work, batch: Batch) -> None:
    work.output = batch[:0]
    work.rows = int(batch.counts.sum()) if batch.per_row else len(batch)


def _resume(chain: Sequence[Link], chunk: Chunk, store: Store) -> tuple[int, Any]:
    for position in range(len(chain) - 1, -1, -1):
        link = chain[position]
        if not is_stored(link.stage):
            continue
        found = store.read(chunk_key(link.key, chunk.images.ids, chunk.tokens))
        if found is not None:
            arrays, note = found
            return position + 1, getattr(types, note["type"]).from_arrays(arrays, chunk.images)
    return 0, chunk.images


def _apply(stage: Stage, batch: Any, chunk: Chunk) -> Any:
    """One stage on one batch, with its failures explained."""
    where = f"stage '{stage.name}' on images {chunk.images.ids[0]} … {chunk.images.ids[-1]}"
    try:
        out = stage.predict(batch) if isinstance(stage, Classifier) else stage.transform(batch)
    except BadImage as error:
        raise DataError(f"an image became unreadable during the run: {error}", where=where) from error
    except CvpipeError:
        raise
    except MemoryError as error:
        raise RunError("out of memory", where=where) from error
    except Exception as error:
        raise RunError(f"{type(error).__name__}: {error}", where=where) from error
    if not isinstance(out, Batch) or len(out) != len(batch):
        got = f"{len(out)} rows" if isinstance(out, Batch) else f"a {type(out).__name__}"
        raise RunError(f"broke its contract: {got} for {len(batch)} images", where=where)
    return out
