"""What fitted stages show of themselves: pictures, curves and facts."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cvpipe.composite import Composite
from cvpipe.conductor.result import RunResult
from cvpipe.data.exhibits import Curves, Exhibit, Facts, Gallery
from cvpipe.report.chart import lines
from cvpipe.stage import Stage

MOST = 400
"""Pictures of one gallery: a larger vocabulary is shown in part."""
CAPTIONED = 120
"""Pictures with captions; more would fill the page."""
SIDE = 56
"""px that a small picture is enlarged to, by a whole factor, so that each of its pixels is a square."""
GAP = 1
"""px between pictures of a sheet."""


def section(result: RunResult) -> dict[str, Any] | None:
    """The exhibits of all stages in their order; None if no stage has one."""
    shown = [(name, list(_drawn(stage))) for name, stage in _stages(result.pipeline.fitted)]
    shown = [(name, drawn) for name, drawn in shown if drawn]
    if not shown:
        return None
    for number, drawing in enumerate(drawing for _, drawn in shown for drawing in drawn):
        drawing["id"] = f"exhibit-{number}"
    return {"id": "exhibits", "title": "What the stages learned", "template": "exhibits.html",
            "stages": shown, "trained_on": result.trained_on}  # fmt: skip


def _stages(stages: Sequence[Stage], before: str = "") -> Iterator[tuple[str, Stage]]:
    """Every fitted stage and the name it has in the report; those of branches after the stage that joins them."""
    for stage in stages:
        yield before + stage.name, stage
        if isinstance(stage, Composite):
            for number, chain in enumerate(stage.fitted_chains(), 1):
                yield from _stages(chain, f"{before}{stage.name}, branch {number}: ")


def _drawn(stage: Stage) -> Iterator[dict[str, Any]]:
    try:
        exhibits = list(stage.exhibits())
    except Exception as error:  # a run of hours is not lost for a picture
        said = " ".join(f"{type(error).__name__}: {error}".split())
        exhibits = [Facts("cannot be shown", [("reason", said)])]
    yield from (_draw(exhibit) for exhibit in exhibits)


def _draw(exhibit: Exhibit) -> dict[str, Any]:
    about = {"title": exhibit.title, "note": exhibit.note}
    if isinstance(exhibit, Gallery):
        return about | _gallery(exhibit)
    if isinstance(exhibit, Curves):
        chart = lines(exhibit.series, exhibit.x_label, exhibit.y_label)
        return about | {"kind": "curves", "chart": chart}
    return about | {"kind": "facts", "rows": list(exhibit.rows)}


def _gallery(gallery: Gallery) -> dict[str, Any]:
    """One picture that holds all, and how much it is enlarged."""
    total, height, width = gallery.images.shape[:3]
    images = gallery.images[: CAPTIONED if len(gallery.captions) else MOST]
    columns = max(1, min(len(images), 25 if len(gallery.captions) else math.ceil(math.sqrt(2 * len(images)))))
    rows = max(1, math.ceil(len(images) / columns))
    scale = max(1, SIDE // max(height, width, 1))
    sheet = np.zeros((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 4), np.uint8)
    for place, pixels in enumerate(images):
        top, left = (place // columns) * (height + GAP), (place % columns) * (width + GAP)
        sheet[top : top + height, left : left + width, :3] = pixels
        sheet[top : top + height, left : left + width, 3] = 255
    return {
        "kind": "gallery", "src": _png(sheet), "count": len(images), "total": total, "scale": scale,
        "width": sheet.shape[1] * scale, "height": sheet.shape[0] * scale,
        "tile": (width * scale, height * scale), "pixelated": scale > 1,
        "tiles": [((place % columns) * (width + GAP) * scale, (place // columns) * (height + GAP) * scale, str(caption))
                  for place, caption in enumerate(list(gallery.captions)[: len(images)])],
    }  # fmt: skip


def _png(rgba: np.ndarray) -> str:
    """A `data:` address of (H, W, 4) uint8 RGBA."""
    import cv2

    _, data = cv2.imencode(".png", np.ascontiguousarray(rgba[:, :, [2, 1, 0, 3]]))
    return f"data:image/png;base64,{base64.b64encode(data.tobytes()).decode()}"
