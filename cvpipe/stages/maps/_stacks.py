"""What stages that give maps share: a stack for each image becomes a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cvpipe.data import Images, Maps, offsets_of


def maps_of(images: Images, channels: int, make: Callable[[np.ndarray], np.ndarray]) -> Maps:
    """Maps from `make`: (channels, h, w) float32 for (H, W, 3) uint8 pixels."""
    size, rows = [], [np.empty((0, channels), np.float32)]
    for image in images:
        made = make(image)
        size.append(made.shape[1:])
        rows.append(made.reshape(channels, -1).T)
    return Maps(
        offsets=offsets_of([len(r) for r in rows[1:]]),
        values=np.concatenate(rows),
        size=np.array(size, np.int32).reshape(-1, 2),
    )
