from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.errors import RunError, SpecError
from cvpipe.spec import build_stage
from cvpipe.stages.features.hog import Hog


def pixels(size: int) -> np.ndarray:
    rng = np.random.default_rng(size)
    smooth = np.cumsum(rng.integers(-9, 10, (size, size, 3)), axis=1) + rng.integers(90, 160, (size, 1, 3))
    return np.clip(smooth, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("channels", ["rgb", "grey"])
@pytest.mark.parametrize(
    ("size", "cell", "block", "orientations"),
    [(64, 8, 2, 9), (72, 16, 3, 4), (64, 16, 1, 6), (32, 32, 1, 12)],
)
def test_the_numbers_of_scikit_image(
    size: int, cell: int, block: int, orientations: int, channels: Any
) -> None:
    from skimage.feature import hog

    image = pixels(size) if channels == "rgb" else np.repeat(pixels(size)[..., :1], 3, axis=2)
    stage = Hog(size=size, cell=cell, block=block, orientations=orientations, channels=channels)
    want = hog(
        image if channels == "rgb" else image[..., 0],
        orientations,
        (cell, cell),
        (block, block),
        "L2-Hys",
        channel_axis=-1 if channels == "rgb" else None,
    )
    got = stage.transform(Images.from_arrays([image])).values[0]
    np.testing.assert_allclose(got, want, atol=1e-6)


def test_the_numbers_of_scikit_image_on_a_photograph() -> None:
    from skimage.data import astronaut
    from skimage.feature import hog

    image = astronaut()[:128, 150:278]
    want = hog(image, 9, (16, 16), (2, 2), "L2-Hys", channel_axis=-1)
    np.testing.assert_allclose(Hog().transform(Images.from_arrays([image])).values[0], want, atol=1e-6)


def test_the_width_does_not_depend_on_the_image_and_flat_ones_are_zeros(
    noise: Callable[..., np.ndarray],
) -> None:
    images = Images.from_arrays([noise(50, 200), noise(3, 2), np.full((1, 1), 9, np.uint8)])
    got = Hog().transform(images).values
    assert got.shape == (3, 7 * 7 * 4 * 9)
    assert got[0].any()
    assert not got[2].any()


def test_a_block_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(SpecError, match="stage 'hog': a block of 3 cells of 16 px does not fit into 40 px"):
        build_stage("hog", {"size": 40, "cell": 16, "block": 3})
    assert build_stage("hog", {"size": 40, "cell": 20, "block": 2})
    with pytest.raises(RunError, match="'hog': a block of 2 cells of 40 px does not fit into 64 px"):
        Hog(size=64, cell=40).transform(Images.from_arrays([np.zeros((64, 64), np.uint8)]))
