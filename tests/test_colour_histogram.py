from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.stages.features.colour_histogram import ColourHistogram
from cvpipe.vision.colour import in_space


@pytest.mark.parametrize("bins", [1, 4, 7])
@pytest.mark.parametrize("space", ["rgb", "hls", "lab"])
def test_joint_histograms_are_those_of_opencv(
    noise: Callable[..., np.ndarray], space: Any, bins: int
) -> None:
    image = noise(37, 52)
    want = cv2.calcHist([in_space(image, space)], [0, 1, 2], None, [bins] * 3, [0, 256] * 3).ravel() / (
        37 * 52
    )
    got = ColourHistogram(space=space, bins=bins).transform(Images.from_arrays([image])).values[0]
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_channels_by_themselves(noise: Callable[..., np.ndarray]) -> None:
    image = noise(31, 20)
    got = ColourHistogram(layout="per_channel", bins=16).transform(Images.from_arrays([image])).values[0]
    want = [np.histogram(image[..., c], bins=16, range=(0, 256))[0] / 620 for c in range(3)]
    np.testing.assert_allclose(got, np.concatenate(want), rtol=1e-6)


def test_the_channels_of_a_space_are_what_the_docs_say() -> None:
    blue = np.full((1, 1, 3), (0, 0, 200), np.uint8)
    stage = ColourHistogram(space="hls", layout="per_channel", bins=4)
    got = stage.transform(Images.from_arrays([blue])).values.reshape(3, 4)
    assert got.tolist() == [
        [0, 0, 1, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 1],
    ]  # hue 240 of 360, lightness 100, saturation 1
