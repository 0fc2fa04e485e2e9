"""What the first stages of a fitted pipeline give for one image: where it looks, for pictures of that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cvpipe.composite import Composite
from cvpipe.conductor.edges import gives
from cvpipe.data import Images, Keypoints
from cvpipe.errors import CvpipeError
from cvpipe.stage import Classifier


def outputs(stages: Sequence[Any], batch: Any) -> Iterator[tuple[Any, Any]]:
    """(stage, what it gives for the images of `batch`), stage by stage, up to the first that is neither images nor
    keypoints.

    The stage that a learner's training rows come from stands before the learner; of a fusion, branch after branch. A
    stage that fails ends its chain: the images may have moved since the run.
    """
    for stage in stages:
        if isinstance(stage, Composite):
            for chain in stage.fitted_chains():
                yield from outputs(chain, batch)
            return
        if isinstance(stage, Classifier):  # of the images themselves
            return
        sampler = getattr(stage, "sampler", None)
        try:
            if sampler is not None:
                yield sampler, sampler.transform(batch)
            batch = stage.transform(batch)
        except (CvpipeError, OSError):
            return
        yield stage, batch
        if not isinstance(batch, Images | Keypoints):
            return


def may_give(stages: Sequence[Any], *kinds: type) -> bool:
    """Whether `outputs` may find something of these kinds, as the stages declare what they give: trying takes time."""
    for stage in stages:
        if isinstance(stage, Composite):
            found = any(may_give(chain, *kinds) for chain in stage.fitted_chains())
        else:
            parts = [part for part in (getattr(stage, "sampler", None), stage) if part is not None]
            found = any(kind in kinds for part in parts for kind in gives(type(part)))
        if found:
            return True
    return False


def fitted(pipeline: Any) -> Sequence[Any]:
    """The stages as they were fitted; a pipeline keeps the ones it was built from apart."""
    return getattr(pipeline, "fitted", pipeline.stages)  # NotFitted is an AttributeError


def one_of_each_class(labels: np.ndarray, most: int) -> list[int]:
    """The middle image of up to `most` classes, spread evenly over the alphabet, and after these some spares."""
    classes = np.unique(labels)
    spread = np.linspace(0, len(classes) - 1, min(most, len(classes))).astype(int)
    picked = [np.flatnonzero(labels == name) for name in classes[spread]]
    return [int(rows[len(rows) // 2]) for rows in picked] + [int(rows[0]) for rows in picked if len(rows) > 1]
