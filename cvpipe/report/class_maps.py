"""Where a fully convolutional network sees the class that it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from cvpipe.conductor.result import RunResult
from cvpipe.data import Images
from cvpipe.report.leading import fitted, one_of_each_class
from cvpipe.report.thumbnails import coloured, data_uri, read_or_none

IMAGES = 6  # drawn, of as many classes as there are
SIDE = 320  # px, the longer side of a thumbnail


def section(result: RunResult) -> dict[str, Any] | None:
    """Test images with a map below each; None if the classifier sees images as a whole."""
    look = getattr(fitted(result.pipeline)[-1], "class_maps", None)
    shown = list(islice(_drawn(result, look), IMAGES)) if look and result.splits else []
    if not shown:
        return None
    return {
        "id": "class-maps",
        "title": "Where it sees the class",
        "template": "class_maps.html",
        "shown": shown,
    }


def _drawn(result: RunResult, look: Callable[[Images], np.ndarray | None]) -> Iterator[dict[str, Any]]:
    images, rows = result.dataset.images, result.splits[0].test
    labels, classes = result.dataset.labels, fitted(result.pipeline)[-1].classes_  # type: ignore[attr-defined]
    for row in rows[one_of_each_class(labels[rows], IMAGES)].tolist():
        pixels = read_or_none(images, row)
        if pixels is None:
            continue
        maps = look(images[[row]])
        if maps is None:
            return
        best = int(maps[0].mean((1, 2)).argmax())
        height, width = pixels.shape[:2]
        yield {
            "id": images.ids[row], "label": str(labels[row]), "predicted": str(classes[best]),
            "width": width, "height": height, "rows": maps.shape[2], "columns": maps.shape[3],
            "src": data_uri(pixels, SIDE), "map": data_uri(_enlarged(maps[0, best], height, width), SIDE),
        }  # fmt: skip


def _enlarged(shares: np.ndarray, height: int, width: int) -> np.ndarray:
    """(h, w) of 0 to 1 -> (height, width, 3) uint8 RGB at most `SIDE` px large, each position a rectangle."""
    import cv2

    factor = SIDE / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return coloured(cv2.resize(shares, size, interpolation=cv2.INTER_NEAREST))
