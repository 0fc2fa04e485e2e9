"""The conductor's passes over the images: fit a chain of stages, and stream what it gives.

Everything that concerns more than one image happens here and nowhere else: cutting into chunks, workers, the cache,
rows for learners. Stages before the first learner have keys without training images, so all splits share their
results.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cvpipe import threads
from cvpipe.conductor import keys, workers
from cvpipe.conductor.chunks import Link, chunked, run_chunk
from cvpipe.conductor.edges import reachable
from cvpipe.conductor.ledger import Ledger
from cvpipe.conductor.sample import ROWS_PER_IMAGE, RowSampler, drawn_images
from cvpipe.conductor.state import Packed, pack, unpack
from cvpipe.conductor.store import Store
from cvpipe.data import Batch, Features, Images, Predictions
from cvpipe.errors import CvpipeError, Problem, RunError
from cvpipe.stage import Learner, Stage


@dataclass
class Flow:
    """Passes over one list of images."""

    images: Images
    tokens: Sequence[str]
    """Content hash of each image."""
    store: Store
    jobs: int
    ledger: Ledger

    def __post_init__(self) -> None:
        self.ids = self.images.ids

    def fit(self, stages: Sequence[Stage], train: np.ndarray, labels: np.ndarray) -> list[Link]:
        """The chain of stages, learners fitted on the rows `train` (sorted) of the images; `labels` are for all
        images."""
        chain: list[Link] = []
        names = keys.chain_keys(stages, keys.seen_key(self.ids, self.tokens, labels, train))
        for position, (stage, key) in enumerate(zip(stages, names, strict=True)):
            if isinstance(stage, Learner):
                self._fit_one(stage, key, chain, position, train, labels)
            chain.append(Link(stage, key))
        return chain

    def predict(self, chain: Sequence[Link], rows: np.ndarray) -> Predictions:
        """The predictions for some rows (sorted) of the images."""
        parts = list(self._stream(chain, rows, lambda batch, ids: batch))
        return Predictions.concat(parts)

    def _fit_one(
        self,
        stage: Learner,
        key: str,
        chain: list[Link],
        position: int,
        train: np.ndarray,
        labels: np.ndarray,
    ) -> None:
        found = self.store.read(key)
        if found is not None:
            stage.restore(unpack(*found))
            return
        rows = self._images_to_open(stage, chain, train)
        batch = self._training_batch(stage, chain, rows)
        self.ledger.progress.note(f"fitting {stage.name} on {len(batch)} images")
        with threads.allow(self.jobs):
            began = time.perf_counter()
            arrays, note = _explained_fit(stage, batch, labels[rows])
            seconds = time.perf_counter() - began
        self.ledger.fitted(position, seconds, workers.resident_mb())
        self.store.write(key, arrays, note)
        stage.restore(
            unpack(arrays, note)
        )  # as a later run will find it: not one bit may depend on the cache

    def _images_to_open(self, stage: Learner, chain: Sequence[Link], train: np.ndarray) -> np.ndarray:
        """The training images, or as many of them as give the rows that the learner asks for."""
        if not stage.fit_rows:
            return train
        one_row_each = Features in reachable([link.stage for link in chain])
        return drawn_images(train, stage.fit_rows, self._seed(stage), 1 if one_row_each else ROWS_PER_IMAGE)

    def _training_batch(self, stage: Learner, chain: list[Link], rows: np.ndarray) -> Batch:
        """What the learner learns from: all of it, or its share of rows."""
        if not stage.fit_rows:
            parts = list(self._stream(chain, rows, lambda batch, ids: batch))
            return type(parts[0]).concat(parts)
        sampler = RowSampler(stage.fit_rows, len(rows), self._seed(stage))
        parts = list(self._stream(chain, rows, sampler.thin))
        return sampler.trim(type(parts[0]).concat(parts), [self.ids[i] for i in rows])

    def _stream(
        self, chain: Sequence[Link], rows: np.ndarray, keep: Callable[[Any, Sequence[str]], Any]
    ) -> Iterator[Any]:
        """What `keep` leaves of each chunk that holds one of `rows`, in order, computed by the workers."""
        chunks = chunked(self.images, self.tokens, rows)
        names = [link.key for link in chain]
        work = partial(run_chunk, chain, store=self.store, keep=keep)
        with workers.over(self.jobs, work, chunks) as done:
            for chunk, (kept, costs) in zip(chunks, done, strict=True):
                self.ledger.transformed(names, chunk.first, len(chunk.images), costs)
                yield kept

    @staticmethod
    def _seed(stage: Learner) -> int | None:
        return getattr(stage, "seed", None)


def _explained_fit(stage: Learner, batch: Batch, labels: np.ndarray) -> Packed:
    """What `fit` learned, with what can go wrong in it explained."""
    where = f"stage '{stage.name}'"
    try:
        return pack(stage.fit(batch, labels).state())
    except CvpipeError as error:
        raise type(error)([Problem(p.message, p.where or where) for p in error.problems]) from error
    except MemoryError as error:
        raise RunError(f"out of memory while fitting on {len(batch)} images", where=where) from error
    except Exception as error:
        raise RunError(f"fit failed: {type(error).__name__}: {error}", where=where) from error
