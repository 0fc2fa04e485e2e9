"""Memory for intermediate arrays that is used again for the next image."""

from __future__ import annotations

import math
from collections.abc import Hashable

import numpy as np


class Scratch:
    """Arrays by name, whose memory is kept: fresh pages of the system's take longer than computing what goes there.

    Not to be shared by threads.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, np.ndarray] = {}

    def floats(self, name: Hashable, *shape: int) -> np.ndarray:
        """A float32 array with arbitrary numbers in it; it shares its memory with earlier ones of this name."""
        count = math.prod(shape)
        if name not in self._kept or self._kept[name].size < count:
            self._kept.pop(name, None)  # before its successor is there
            self._kept[name] = np.empty(count, np.float32)
        return self._kept[name][:count].reshape(shape)
