"""What the classifier of a fitted pipeline gets: the features of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cvpipe.conductor import workers
from cvpipe.conductor.flow import Flow
from cvpipe.conductor.inputs import tokens_of
from cvpipe.conductor.ledger import Ledger
from cvpipe.conductor.progress import Progress
from cvpipe.conductor.store import open_store
from cvpipe.data import Images

if TYPE_CHECKING:
    from cvpipe.conductor.pipeline import Pipeline


def features(pipeline: Pipeline, images: Images, rows: np.ndarray) -> np.ndarray | None:
    """(len(rows), D) float32 for some rows (sorted) of the images that a pipeline was run on; None where its
    classifier gets something else.

    The images are all that the run saw: chunks of them are then found in the cache.
    """
    chain = pipeline.fitted_[:-1]
    if not chain or not len(rows):
        return None
    jobs = workers.count(pipeline.jobs)
    with open_store(pipeline.cache) as store:
        ledger = Ledger(pipeline.fitted, jobs, Progress())
        flow = Flow(images, tokens_of(images), store, jobs, ledger)
        found = flow.features(chain, rows)
    return None if found is None else found.values
