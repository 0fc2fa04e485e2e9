"""Where the pipeline looks: the keypoints of a few images, drawn over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from cvpipe.composite import Composite
from cvpipe.conductor.result import RunResult
from cvpipe.data import BinaryDescriptors, Descriptors, Images, Keypoints
from cvpipe.data.seeds import generator
from cvpipe.errors import CvpipeError
from cvpipe.report.thumbnails import data_uri, read_or_none

Points = BinaryDescriptors | Descriptors | Keypoints
IMAGES = 6  # drawn, of as many classes as there are
POINTS = 100  # drawn for each image; more hide it
SIDE = 320  # px, the longer side of a thumbnail
RADIUS = 3  # of a circle, in sigmas: the width of one of SIFT's 4 x 4 cells (VLFeat's magnification factor)


def section(result: RunResult) -> dict[str, Any] | None:
    """Images with circles; None if no leading stage gives keypoints or descriptors."""
    shown = list(islice(_drawn(result), IMAGES))
    if not shown:
        return None
    return {
        "id": "keypoints",
        "title": "Keypoints",
        "template": "keypoints.html",
        "shown": shown,
        "most": POINTS,
        "radius": RADIUS,
    }


def _drawn(result: RunResult) -> Iterator[dict[str, Any]]:
    images, labels = result.dataset.images, result.dataset.labels
    ids, stages = images.ids, _fitted(result.pipeline)
    for row in _one_of_each_class(labels):
        pixels = read_or_none(images, row)
        found = None if pixels is None else _points(stages, images[[row]])
        if pixels is None or found is None:
            continue
        stage, points = found
        height, width = pixels.shape[:2]
        yield {
            "id": ids[row], "label": str(labels[row]), "stage": stage, "count": len(points.xy),
            "width": width, "height": height, "tiny": max(height, width) < SIDE // 2,
            "src": data_uri(pixels, SIDE), "circles": _circles(points, ids[row]),
        }  # fmt: skip


def _one_of_each_class(labels: np.ndarray) -> list[int]:
    """The middle image of some classes, spread evenly over the alphabet, and after these some spares."""
    classes = np.unique(labels)
    spread = np.linspace(0, len(classes) - 1, min(IMAGES, len(classes))).astype(int)
    picked = [np.flatnonzero(labels == name) for name in classes[spread]]
    return [int(rows[len(rows) // 2]) for rows in picked] + [int(rows[0]) for rows in picked if len(rows) > 1]


def _fitted(pipeline: Any) -> Sequence[Any]:
    """The stages as they were fitted; a pipeline keeps the ones it was built from apart."""
    return getattr(pipeline, "fitted", pipeline.stages)  # NotFitted is an AttributeError


def _points(stages: Sequence[Any], batch: Any) -> tuple[str, Points] | None:
    """The first keypoints or descriptors that leading stages give for one image, and that stage's name.

    Of a fusion, the first branch that gives some.
    """
    for stage in stages:
        if isinstance(stage, Composite):
            return next(filter(None, (_points(chain, batch) for chain in stage.fitted_chains())), None)
        try:
            batch = stage.transform(batch)
        except (CvpipeError, OSError):
            return None
        if isinstance(batch, Points):
            return stage.name, batch
        if not isinstance(batch, Images):
            return None
    return None


def _circles(points: Points, image_id: str) -> list[tuple[float, float, float]]:
    """(x, y, radius) of the strongest keypoints, px; of descriptors, which have none, a random draw."""
    if isinstance(points, Keypoints):
        rows = np.argsort(-points.response, kind="stable")[:POINTS]
    else:
        total = len(points.xy)
        rows = generator(0, "report", image_id).permutation(total)[:POINTS]
    circles = np.column_stack([points.xy[rows], RADIUS * points.scale[rows]])
    return [(round(float(x), 1), round(float(y), 1), round(float(r), 1)) for x, y, r in circles]
