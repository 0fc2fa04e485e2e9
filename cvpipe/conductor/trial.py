"""What a stage costs, found out by trying it on a few images.

Everything is tried once before it is timed: the first call compiles kernels and imports libraries, once in a run,
however many images there are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, cast

import numpy as np

from cvpipe import threads
from cvpipe.conductor import workers
from cvpipe.data import Batch
from cvpipe.device import current
from cvpipe.errors import CvpipeError
from cvpipe.stage import Classifier, Learner, Stage
from cvpipe.wording import plural

ROWS = 4096
"""Rows (descriptors, patches) that a learner is tried on: enough for several of each of some hundred words."""
VECTORS = 512
"""Images that a learner of one vector for each image is tried on."""
SHORTEST_S = 1e-9
"""No work takes less: speeds are divided by it, s."""
JITTER = 0.3
"""By how much of itself a copied value is changed, either way: equal rows would be learned too easily."""
STEEPEST = 3.0
"""The largest power of the number of rows that the cost of a fit is believed to grow with: that of a dense solver."""


@dataclass(frozen=True)
class Cost:
    """Seconds for something that is done again and again, and what the first time takes on top."""

    each_s: float
    first_s: float

    def of(self, times: float) -> float:
        """Seconds for so many times, s."""
        return self.each_s * times + (self.first_s if times else 0.0)


class Untried(Exception):
    """A learner cannot learn from a few images; why, in words."""


def transform(stage: Stage, batch: Any) -> tuple[Any, Cost]:
    """What a fitted stage gives for a batch, and the cost of an image for one worker."""
    _, first = again(stage, batch[:1])
    given, each = again(stage, batch)
    return given, Cost(each, max(0.0, first - each))


def again(stage: Stage, batch: Any) -> tuple[Any, float]:
    """What a fitted stage that has been tried before gives for a batch, and the seconds of an image for one worker.

    On a CPU these are of its own work, as far as that is by one thread: others may be at work beside it.
    """
    apply = stage.predict if isinstance(stage, Classifier) else stage.transform
    with workers.one_thread_each():
        before = time.process_time()
        given, seconds = _timed(apply, batch)
        work = time.process_time() - before
    if current() == "cpu":
        seconds = min(seconds, max(work, SHORTEST_S))
    return given, seconds / len(batch)


def fit(
    stage: Learner, batch: Any, labels: np.ndarray, classes: np.ndarray, images: int, jobs: int
) -> tuple[Cost, float]:
    """Fit on a few images; the cost and the megabytes of a fit on so many `images` of these classes.

    Raises `Untried` if the learner cannot learn from so little; it is then not fitted.
    """
    each = row_count(batch) / len(batch)
    wanted = min(stage.fit_rows or math.inf, each * images)
    most = int(min(wanted, ROWS if per_row(batch) else VECTORS) / each)
    more, more_labels = _copied(batch, labels, classes, max(len(batch), most))
    half = np.sort(np.argsort(more_labels, kind="stable")[::2])  # of every class
    try:
        with threads.allow(jobs):
            first = _timed(stage.fit, more[half], more_labels[half])[1]
            few = _timed(stage.fit, more[half], more_labels[half])[1]
            many = _timed(stage.fit, more, more_labels)[1]
    except (CvpipeError, ValueError, ArithmeticError) as error:
        raise Untried(_why_untried(stage, batch, error)) from error
    power = min(max(math.log2(many / few), 1.0), STEEPEST)
    growth = wanted / row_count(more)
    each = many * growth ** (power if growth > 1 else 1.0)
    return Cost(each, max(0.0, first - few)), 2 * bytes_of(more) * growth / 1e6


def _why_untried(stage: Learner, batch: Any, error: Exception) -> str:
    why = "; ".join(p.message for p in error.problems) if isinstance(error, CvpipeError) else str(error)
    tried = plural(len(batch), "image")
    if per_row(batch) and not batch.counts.any():
        found = f"{stage.name} finds nothing to learn from in the {tried} that were tried"
        return f"{found}; if the others have no more, a run fails: {why}"
    return f"{stage.name} cannot be tried on {tried}: {why}"


def per_row(batch: Any) -> bool:
    """Whether images own rows."""
    return bool(getattr(batch, "per_row", ()))


def row_count(batch: Any) -> int:
    """Rows, images where there are no rows; at least 1."""
    return max(1, int(batch.counts.sum())) if per_row(batch) else len(batch)


def bytes_of(batch: Any) -> float:
    """Bytes that a batch takes, decoded images included."""
    arrays = batch.arrays().values() if isinstance(batch, Batch) else list(batch)
    return float(sum(array.nbytes for array in arrays if array.dtype.kind not in "UO"))


def _timed(work: Callable[..., Any], *given: Any) -> tuple[Any, float]:
    began = time.perf_counter()
    done = work(*given)
    return done, max(time.perf_counter() - began, SHORTEST_S)


def _copied(batch: Any, labels: np.ndarray, classes: np.ndarray, images: int) -> tuple[Any, np.ndarray]:
    """So many images: the first ones as they are, then copies with other values, of each class in turn. Images that are
    still files are not copied."""
    if not isinstance(batch, Batch) or images <= len(batch):
        return batch, labels
    rows = np.arange(images) % len(batch)
    more = batch[rows]
    names = [f.name for f in fields(cast(Any, more)) if f.name in ("values", "pixels")]
    return replace(
        cast(Any, more), **{name: _jittered(getattr(more, name)) for name in names}
    ), np.concatenate([labels, np.resize(classes, images - len(batch))])


def _jittered(values: np.ndarray) -> np.ndarray:
    factors = np.random.default_rng(0).uniform(1 - JITTER, 1 + JITTER, values.shape).astype(np.float32)
    changed = values * factors
    return (np.clip(changed, 0, 255) if values.dtype == np.uint8 else changed).astype(values.dtype)
