"""What detectors share: a table of keypoints for each image becomes a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cvpipe.data import Images, Keypoints, offsets_of

NO_ANGLE = -1.0
"""Of detectors that find no direction: the descriptor takes one from the neighbourhood."""


def keypoints_of(images: Images, find: Callable[[np.ndarray, str], np.ndarray]) -> Keypoints:
    """Keypoints from `find`: (m, 5) x, y, scale (px), angle (rad), response for (H, W, 3) pixels and an id."""
    size, found = [], [np.empty((0, 5), np.float32)]
    for name, image in zip(images.ids, images, strict=True):
        size.append(image.shape[:2])
        found.append(np.asarray(find(image, name), np.float32).reshape(-1, 5))
    table = np.concatenate(found)
    return Keypoints(
        offsets=offsets_of([len(rows) for rows in found[1:]]),
        xy=np.ascontiguousarray(table[:, :2]),
        scale=np.ascontiguousarray(table[:, 2]),
        angle=np.ascontiguousarray(table[:, 3]),
        response=np.ascontiguousarray(table[:, 4]),
        size=np.array(size, np.int32).reshape(-1, 2),
        images=images,
    )


def strongest(table: np.ndarray, most: int | None) -> np.ndarray:
    """The `most` rows of (m, 5) x, y, scale, angle, response with the largest response; equal ones by y, x."""
    order = np.lexsort((table[:, 0], table[:, 1], -table[:, 4]))
    return table[order[:most]]
