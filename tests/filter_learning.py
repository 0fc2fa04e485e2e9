"""Images and patches for the tests of learners of filters."""

from __future__ import annotations

import numpy as np

from cvpipe.data import Images, Patches
from cvpipe.stages.filters._base import FilterLearner
from cvpipe.stages.patches.random_patches import RandomPatches
from cvpipe.vision.patch_rows import evened, rows_of, shrunk


def photographs(count: int = 6, seed: int = 0) -> Images:
    """Smooth noise of 40 x 48 px: neighbouring pixels are alike, as in photographs."""
    import cv2

    rng = np.random.default_rng(seed)
    blurred = [cv2.GaussianBlur(rng.standard_normal((40, 48, 3)), (0, 0), 1.5) for _ in range(count)]
    return Images.from_arrays([np.clip(128 + 160 * image, 0, 255).astype(np.uint8) for image in blurred])


def sampler(size: int = 6, count: int = 200) -> RandomPatches:
    return RandomPatches(size=size, count=count, seed=0)


def patches(images: Images, size: int = 6) -> Patches:
    return sampler(size).transform(images)


def white_patches(learner: FilterLearner, image: np.ndarray) -> np.ndarray:
    """White rows of every patch of an image, by a loop."""
    height, width, _ = learner.window_.tolist()
    small = shrunk(image, learner.shrink)
    cut = [
        small[y : y + height, x : x + width]
        for y in range(0, small.shape[0] - height + 1, learner.stride)
        for x in range(0, small.shape[1] - width + 1, learner.stride)
    ]
    rows = evened(rows_of(np.stack(cut)), learner.evening, learner.contrast)
    return (rows - learner.mean_) @ learner.whitening_
