from __future__ import annotations

import numpy as np
import pytest

from cvpipe.data import Descriptors, offsets_of
from cvpipe.errors import RunError
from cvpipe.stages.descriptors.root_sift import RootSift


def descriptors(values: np.ndarray) -> Descriptors:
    n = len(values)
    return Descriptors(
        offsets=offsets_of([n]),
        values=values,
        xy=np.zeros((n, 2), np.float32),
        scale=np.ones(n, np.float32),
        size=np.array([[9, 9]], np.int32),
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_rows_follow_the_definition(dtype: type) -> None:
    values = np.random.default_rng(0).integers(0, 256, (20, 128)).astype(dtype)
    values[5] = 0
    want = []
    for row in values.astype(float):
        total = sum(row)
        want.append([(v / total) ** 0.5 if total else 0.0 for v in row])
    got = RootSift().transform(descriptors(values)).values
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=1e-6)
    assert not got[5].any()


def test_inner_products_are_the_hellinger_kernel() -> None:
    values = np.random.default_rng(1).random((6, 128)).astype(np.float32)
    shares = values / values.sum(axis=1, keepdims=True)
    hellinger = np.sqrt(shares[:, None] * shares[None]).sum(axis=2)
    got = RootSift().transform(descriptors(values)).values
    np.testing.assert_allclose(got @ got.T, hellinger, rtol=1e-5)


def test_negative_values_are_refused() -> None:
    with pytest.raises(RunError, match=r"root_sift: .* not negative"):
        RootSift().transform(descriptors(np.full((1, 4), -1, np.float32)))
