"""l1, l2, power and append_xy by their definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from vectors import descriptors, features

from cvpipe.data import Features
from cvpipe.stages.transforms.append_xy import AppendXy
from cvpipe.stages.transforms.l1 import L1
from cvpipe.stages.transforms.l2 import L2
from cvpipe.stages.transforms.power import Power


@pytest.mark.parametrize(("stage", "order"), [(L1(), 1), (L2(), 2)])
def test_lengths_are_one_and_directions_stay(stage: L1 | L2, order: int) -> None:
    values = features(6).values * np.float32(10.0) ** np.arange(-18, 18, 6, dtype=np.float32)[:, None]
    values[3] = 0
    out = stage.transform(Features(values=values)).values
    assert out.dtype == np.float32
    np.testing.assert_allclose(
        np.linalg.norm(out.astype(float), order, axis=1), [1, 1, 1, 0, 1, 1], rtol=1e-6
    )
    cosines = (out * features(6).values).sum(axis=1) / np.linalg.norm(out, axis=1).clip(1e-9)
    np.testing.assert_allclose(
        cosines, np.linalg.norm(features(6).values, axis=1) * (values[:, 0] != 0), rtol=1e-5
    )


@pytest.mark.parametrize("stage", [L1(), L2(), Power(exponent=1), AppendXy()])
def test_whole_numbers_become_float32(stage: L1 | L2 | Power | AppendXy) -> None:
    batch = descriptors([3, 0, 2], 4, values=np.arange(20, dtype=np.uint8).reshape(5, 4))
    out = stage.transform(batch)
    assert out.values.dtype == np.float32
    np.testing.assert_array_equal(out.xy, batch.xy)
    assert len(stage.transform(descriptors([0, 0])).values) == 0


@pytest.mark.parametrize("exponent", [0.5, 0.2, 1, 2])
def test_powers_keep_the_sign(exponent: float) -> None:
    batch = features(5)
    want = np.sign(batch.values) * np.abs(batch.values.astype(float)) ** exponent
    np.testing.assert_allclose(Power(exponent=exponent).transform(batch).values, want, rtol=1e-5)


def test_corners_of_the_image() -> None:
    corners = np.array([[-0.5, -0.5], [89.5, -0.5], [44.5, 29.5], [89.5, 59.5]], np.float32)
    batch = replace(descriptors([3, 1], 2), xy=corners)  # images of 90 x 60 px
    out = AppendXy(weight=2).transform(batch).values
    np.testing.assert_array_equal(out[:, :2], batch.values)
    np.testing.assert_allclose(out[:, 2:], [[-1, -1], [1, -1], [0, 0], [1, 1]])
