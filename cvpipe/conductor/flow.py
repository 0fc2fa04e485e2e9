"""A chain of stages, fitted on some images and used on others.

Everything that concerns more than one image happens in the conductor and nowhere else: cutting into chunks, workers,
the cache, rows for learners. Stages before the first learner have keys without training images, so all splits share
their results.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from cvpipe import fitting, threads
from cvpipe.composite import Composite
from cvpipe.conductor import keys, workers
from cvpipe.conductor.edges import reachable
from cvpipe.conductor.heavy import import_for
from cvpipe.conductor.links import SAMPLER, Link, Place
from cvpipe.conductor.passes import Passes
from cvpipe.conductor.sample import ROWS_PER_IMAGE, RowSampler, drawn_images
from cvpipe.conductor.state import Packed, pack, unpack
from cvpipe.data import Batch, Features, Predictions
from cvpipe.errors import CvpipeError, Problem, RunError
from cvpipe.stage import Learner, Stage, learns

FIT_S, WARNINGS = "fit seconds", "fit warnings"
"""Beside what a learner learned the store keeps how long that took and what was wrong with it, so that both are known
when it is read back."""


@dataclass(frozen=True)
class _Lesson:
    """What learners learn from."""

    train: np.ndarray
    """Rows of the training images, sorted."""
    labels: np.ndarray
    """(n,) of all images."""
    seen: str
    """The key of the training images."""


class Flow(Passes):
    """Passes over one list of images that fit a chain, and use it."""

    def fit(self, stages: Sequence[Stage], train: np.ndarray, labels: np.ndarray) -> list[Link]:
        """The chain of stages, learners fitted on the rows `train` (sorted) of the images; `labels` are for all
        images."""
        seen = keys.seen_key(self.images.ids, self.tokens, labels, train)
        return self._fit_chain(stages, [], (), _Lesson(train, labels, seen))

    def predict(self, chain: Sequence[Link], rows: np.ndarray) -> Predictions:
        """The predictions for some rows (sorted) of the images."""
        parts = list(self.stream(chain, rows))
        return Predictions.concat(parts)

    def _fit_chain(
        self, stages: Sequence[Stage], before: Sequence[Link], place: Place, lesson: _Lesson
    ) -> list[Link]:
        """The links of some stages that go on where the chain `before` ends."""
        chain = list(before)
        for position, stage in enumerate(stages):
            chain.append(self._link(stage, chain, (*place, position), lesson))
        return chain[len(before) :]

    def _link(self, stage: Stage, chain: Sequence[Link], place: Place, lesson: _Lesson) -> Link:
        key = keys.link_key(chain[-1].key if chain else keys.images_key(), stage, lesson.seen)
        if isinstance(stage, Composite):
            branches = [self._fit_chain(branch, chain, (*place, number), lesson)
                        for number, branch in enumerate(stage.chains())]  # fmt: skip
            stage.adopt([[link.stage for link in branch] for branch in branches])
            return Link(stage, key, place, tuple(map(tuple, branches)))
        if learns(stage):
            self._fit_one(stage, key, chain, place, lesson)
        return Link(stage, key, place)

    def _fit_one(
        self, stage: Learner, key: str, chain: Sequence[Link], place: Place, lesson: _Lesson
    ) -> None:
        found = self.store.read(key)
        if found is not None:
            arrays, note = found
            self.ledger.remembered(place, note.pop(FIT_S, None))
            self.ledger.warned(place, note.pop(WARNINGS, []))
            stage.restore(unpack(arrays, note))
            return
        chain = [*chain, *self._sampler(stage, chain, place)]
        rows = self._images_to_open(stage, chain, lesson.train)
        batch = self._training_batch(stage, chain, rows)
        self.ledger.progress.doing(f"fitting {stage.name} on {len(batch):,} images")
        import_for(type(stage))
        warnings: list[str] = []
        with threads.allow(self.jobs), fitting.at(self._bench(key, warnings)):
            began, peak = time.perf_counter(), workers.peak_mb()
            arrays, note = _explained_fit(stage, batch, lesson.labels[rows])
            seconds, most = time.perf_counter() - began, workers.peak_mb()
        self.ledger.fitted(place, seconds, most if most > peak else workers.resident_mb())
        self.ledger.warned(place, warnings)
        self.store.write(key, arrays, {**note, FIT_S: seconds, WARNINGS: warnings})
        self.store.forget(keys.unfinished_key(key))
        # As a later run will find it: not one bit may depend on the cache.
        stage.restore(unpack(arrays, note))

    def _sampler(self, stage: Learner, chain: Sequence[Link], place: Place) -> list[Link]:
        """The stage that draws what a learner learns from, if it has one."""
        if stage.sampler is None:
            return []
        before = chain[-1].key if chain else keys.images_key()
        return [Link(stage.sampler, keys.stage_key(before, stage.sampler), (*place, SAMPLER))]

    def _bench(self, key: str, warnings: list[str]) -> fitting.Bench:
        unfinished = keys.unfinished_key(key)
        return fitting.Bench(
            note=self.ledger.progress.doing,
            load=partial(self.store.read, unfinished),
            save=partial(self.store.write, unfinished),
            warn=warnings.append,
        )

    def _images_to_open(self, stage: Learner, chain: Sequence[Link], train: np.ndarray) -> np.ndarray:
        """The training images, or as many of them as give the rows that the learner asks for."""
        if not stage.fit_rows:
            return train
        one_row_each = Features in reachable([link.stage for link in chain])
        return drawn_images(train, stage.fit_rows, self._seed(stage), 1 if one_row_each else ROWS_PER_IMAGE)

    def _training_batch(self, stage: Learner, chain: Sequence[Link], rows: np.ndarray) -> Batch:
        """What the learner learns from: all of it, or its share of rows."""
        if stage.fit_rows:
            sampler = RowSampler(stage.fit_rows, len(rows), self._seed(stage))
            parts = list(self.draw(chain, rows, sampler))
        else:
            parts = list(self.stream(chain, rows))
        return type(parts[0]).concat(parts)

    @staticmethod
    def _seed(stage: Learner) -> int | None:
        return getattr(stage, "seed", None)


def _explained_fit(stage: Learner, batch: Batch, labels: np.ndarray) -> Packed:
    """What `fit` learned, with what can go wrong in it explained."""
    where = f"stage '{stage.name}'"
    before = dict(vars(stage))
    try:
        stage.fit(batch, labels)
        _refuse_undeclared(stage, before)
        return pack(stage.state())
    except CvpipeError as error:
        raise type(error)([Problem(p.message, p.where or where) for p in error.problems]) from error
    except MemoryError as error:
        raise RunError(f"out of memory while fitting on {len(batch):,} images", where=where) from error
    except Exception as error:
        raise RunError(f"fit failed: {type(error).__name__}: {error}", where=where) from error


def _refuse_undeclared(stage: Learner, before: Mapping[str, Any]) -> None:
    """Raise `RunError` if `fit` set what is not among the learned fields: it would not come back from the cache or from
    a saved model. What begins with an underscore is a stage's own business."""
    known = set(stage.learned())
    missing = object()
    for name, value in vars(stage).items():
        if name in known or name.startswith("_") or before.get(name, missing) is value:
            continue
        if name in before and name in stage.parameters():
            raise RunError(
                f"fit changes the option '{name}'; what is learned has names of its own, as `{name}_`"
            )
        field = name if name.endswith("_") else f"{name}_"
        raise RunError(
            f"fit sets '{name}', which would be lost: declare it in the class, as `{field}: np.ndarray`"
        )
