"""Where the pipeline looks: the keypoints of a few images, drawn over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from cvpipe.conductor.result import RunResult
from cvpipe.data import BinaryDescriptors, Descriptors, Images, Keypoints
from cvpipe.data.seeds import generator
from cvpipe.report.leading import fitted, may_give, one_of_each_class, outputs
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
    ids, stages = images.ids, fitted(result.pipeline)
    if not may_give(stages, BinaryDescriptors, Descriptors, Keypoints):
        return
    for row in one_of_each_class(labels, IMAGES):
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


def _points(stages: Sequence[Any], batch: Images) -> tuple[str, Points] | None:
    """The first keypoints or descriptors that leading stages give for one image, and that stage's name."""
    found = ((stage.name, given) for stage, given in outputs(stages, batch) if isinstance(given, Points))
    return next(found, None)


def _circles(points: Points, image_id: str) -> list[tuple[float, float, float]]:
    """(x, y, radius) of the strongest keypoints, px; of descriptors, which have none, a random draw."""
    if isinstance(points, Keypoints):
        rows = np.argsort(-points.response, kind="stable")[:POINTS]
    else:
        total = len(points.xy)
        rows = generator(0, "report", image_id).permutation(total)[:POINTS]
    circles = np.column_stack([points.xy[rows], RADIUS * points.scale[rows]])
    return [(round(float(x), 1), round(float(y), 1), round(float(r), 1)) for x, y, r in circles]
