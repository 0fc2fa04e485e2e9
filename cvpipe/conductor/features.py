"""What a stage of a fitted pipeline gets for images that the pipeline was run on: most of it is in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.flow import Flow
from cvpipe.conductor.inputs import tokens_of
from cvpipe.conductor.ledger import Ledger
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.store import open_store
from cvpipe.data import Features, Images

if TYPE_CHECKING:
    from cvpipe.conductor.pipeline import Pipeline


def given_to(pipeline: Pipeline, place: int, images: Images, rows: np.ndarray) -> Any:
    """What the stage at a place gets for some rows (sorted, at least one) of the images: a batch, or the images.

    The images are all that the run saw: chunks of them are then found in the cache.
    """
    if not place:
        return images[rows]
    jobs = workers.count(pipeline.jobs)
    with open_store(pipeline.cache) as store:
        ledger = Ledger(pipeline.fitted, jobs, Progress())
        flow = Flow(images, tokens_of(images), store, jobs, ledger)
        parts = list(flow.stream(pipeline.fitted_[:place], rows))
    return type(parts[0]).concat(parts)


def features(pipeline: Pipeline, images: Images, rows: np.ndarray) -> np.ndarray | None:
    """(len(rows), D) float32 for some rows (sorted) of the images that a pipeline was run on; None where its
    classifier gets something else."""
    last = len(pipeline.fitted_) - 1
    found = given_to(pipeline, last, images, rows) if last and len(rows) else None
    return found.values if isinstance(found, Features) else None
