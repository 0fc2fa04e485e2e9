"""Cutting batches: images in any order, as often as asked, and never a view."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cvpipe.data import Descriptors, offsets_of

COUNTS = [3, 0, 5, 1, 0, 2]


def batch() -> Descriptors:
    rows = np.arange(sum(COUNTS), dtype=np.float32)
    size = np.arange(2 * len(COUNTS), dtype=np.int32).reshape(-1, 2)
    return Descriptors(
        offsets=offsets_of(COUNTS), values=rows[:, None], xy=np.stack([rows, rows], 1), scale=rows, size=size
    )


@pytest.mark.parametrize(
    "key",
    [slice(None), slice(0, 0), slice(-2, None), [2, 2, 0], [5, 4, 3], [], np.array(COUNTS) > 1, np.arange(3)],
)
def test_images_come_with_their_rows_in_the_order_asked(key: Any) -> None:
    whole = batch()
    cut = whole[key]
    asked = np.arange(len(whole))[key]
    assert cut.counts.tolist() == [COUNTS[i] for i in asked]
    np.testing.assert_array_equal(cut.size, whole.size[asked])
    for place, image in enumerate(asked):
        for name in Descriptors.per_row:
            np.testing.assert_array_equal(
                getattr(cut, name)[cut.rows(place)], getattr(whole, name)[whole.rows(int(image))], name
            )
    assert not any(np.shares_memory(cut.arrays()[name], array) for name, array in whole.arrays().items()
                   if name in Descriptors.per_row)  # fmt: skip
    assert all(cut.arrays()[name].base is None for name in Descriptors.per_row)  # even of no rows


def test_some_rows_of_some_images() -> None:
    whole, images = batch(), np.array([0, 1, 2, 5])
    rows = np.array([1, 4, 7, 9])
    taken = whole.take_rows(rows, images)
    assert taken.counts.tolist() == [1, 0, 2, 1]
    np.testing.assert_array_equal(taken.values, whole.values[rows])
    np.testing.assert_array_equal(taken.size, whole.size[images])
    np.testing.assert_array_equal(whole.take_rows(rows)[images].values, taken.values)
