"""Where patches are taken: squares on a few training images, and the saliency map that they were drawn by."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from cvpipe.conductor.edges import gives
from cvpipe.conductor.result import RunResult
from cvpipe.data import Images, Maps, Patches
from cvpipe.report.leading import fitted, may_give, one_of_each_class, outputs
from cvpipe.report.thumbnails import coloured, data_uri, read_or_none
from cvpipe.stage import Stage

IMAGES = 6  # drawn, of as many classes as there are
SQUARES = 100  # drawn for each image; more hide it
SIDE = 320  # px, the longer side of a thumbnail


def section(result: RunResult) -> dict[str, Any] | None:
    """Images with squares; None if no leading stage, and no stage that a learner's rows come from, gives patches."""
    shown = list(islice(_drawn(result), IMAGES))
    if not shown:
        return None
    return {
        "id": "patches",
        "title": "Patches",
        "template": "patches.html",
        "shown": shown,
        "most": SQUARES,
        "with_map": any(one["map"] for one in shown),
    }


def _drawn(result: RunResult) -> Iterator[dict[str, Any]]:
    rows = result.splits[0].train if result.splits else np.arange(len(result.dataset.images))
    images, labels = result.dataset.images, result.dataset.labels[rows]
    ids, stages = images.ids, fitted(result.pipeline)
    if not may_give(stages, Patches):
        return
    for row in rows[one_of_each_class(labels, IMAGES)].tolist():
        pixels = read_or_none(images, row)
        found = None if pixels is None else _patches(stages, images[[row]])
        if pixels is None or found is None:
            continue
        stage, patches = found
        height, width = pixels.shape[:2]
        yield {
            "id": ids[row], "label": str(result.dataset.labels[row]), "stage": stage.name, "count": len(patches.xy),
            "width": width, "height": height, "tiny": max(height, width) < SIDE // 2,
            "src": data_uri(pixels, SIDE), "squares": _squares(patches), "map": _map(stage, images[[row]]),
        }  # fmt: skip


def _patches(stages: Any, batch: Images) -> tuple[Stage, Patches] | None:
    """The first patches that leading stages give for one image, and that stage."""
    return next((pair for pair in outputs(stages, batch) if isinstance(pair[1], Patches)), None)


def _squares(patches: Patches) -> list[tuple[float, float, int, int]]:
    """(left, top, width, height) of the first patches, px; a pixel's centre is a whole number."""
    height, width = patches.pixels.shape[1:3]
    corners = patches.xy[:SQUARES] - (np.array([width, height]) / 2)
    return [(round(float(x), 1), round(float(y), 1), width, height) for x, y in corners]


def _map(stage: Stage, batch: Images) -> dict[str, str] | None:
    """The map by which a stage draws: that of the first part of it that gives maps. None if there is none."""
    parts = [part for part in stage.get_params(deep=False).values() if isinstance(part, Stage)]
    part = next((part for part in parts if Maps in gives(type(part))), None)
    if part is None:
        return None
    return {"stage": part.name, "src": data_uri(coloured(part.transform(batch).stack(0)[..., 0]), SIDE)}
