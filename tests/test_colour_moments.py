from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import moment

from cvpipe.data import Images
from cvpipe.stages.features.colour_moments import ColourMoments


def test_moments_are_those_of_scipy(noise: Callable[..., np.ndarray]) -> None:
    image = noise(33, 21) // 3 + np.uint8(20)
    image[:3] = (250, 0, 130)
    got = ColourMoments(space="rgb").transform(Images.from_arrays([image])).values[0]
    values = image.reshape(-1, 3) / 255
    want = [values.mean(axis=0), values.std(axis=0), np.cbrt(moment(values, 3, axis=0))]
    assert (got[6:] < 0).any()
    assert (got[6:] > 0).any()
    np.testing.assert_allclose(got, np.concatenate(want), rtol=1e-5)


def test_lab_by_scikit_image(noise: Callable[..., np.ndarray]) -> None:
    from skimage.color import rgb2lab

    image = noise(40, 30)
    got = ColourMoments(space="lab").transform(Images.from_arrays([image])).values[0] * 255
    lab = rgb2lab(image).reshape(-1, 3)
    np.testing.assert_allclose(got[:3], lab.mean(axis=0) * [2.55, 1, 1] + [0, 128, 128], atol=0.5)
    np.testing.assert_allclose(got[3:6], lab.std(axis=0) * [2.55, 1, 1], atol=0.5)


@pytest.mark.parametrize("space", ["rgb", "hls", "lab"])
def test_one_colour_has_no_spread(space: Any) -> None:
    image = np.full((30, 41, 3), (77, 13, 200), np.uint8)
    got = ColourMoments(space=space).transform(Images.from_arrays([image])).values[0]
    assert (got[:3] > 0).all()
    assert got[3:].tolist() == [0] * 6
