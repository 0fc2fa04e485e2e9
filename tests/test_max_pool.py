from __future__ import annotations

import numpy as np
from vectors import descriptors

from cvpipe.stages.features.max_pool import MaxPool


def test_largest_component_of_each_image() -> None:
    values = np.array([[1, 5], [-4, -2], [-4, -3], [9, 9]], np.float32)
    batch = descriptors([1, 2, 0, 1], values=values)
    assert MaxPool().transform(batch).values.tolist() == [[1, 5], [-4, -2], [0, 0], [9, 9]]


def test_whole_numbers() -> None:
    batch = descriptors([2], values=np.array([[1, 255], [4, 2]], np.uint8))
    out = MaxPool().transform(batch).values
    assert out.dtype == np.float32
    assert out.tolist() == [[4, 255]]
