"""Dense SIFT in torch against the compiled one. Torch's CPU stands in for a GPU: the same operations."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from cvpipe import device
from cvpipe.data import Descriptors, Images
from cvpipe.nets import dense_sift as in_torch
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.vision import dense_sift as maths

HOW = maths.DenseSift(step=5, bin_sizes=(4, 6, 9), magnif=6.0, window=2.0, contrast_threshold=0.005)


def photo(height: int, width: int) -> np.ndarray:
    """Coarse and fine structure, a flat corner, and an edge."""
    rng = np.random.default_rng(0)
    coarse = np.kron(rng.integers(0, 200, (height // 8 + 1, width // 8 + 1, 3)), np.ones((8, 8, 1)))
    image = coarse[:height, :width] + rng.integers(0, 50, (height, width, 3))
    image[: height // 3, : width // 2] = 90
    return image.astype(np.uint8)


on_torch = partial(in_torch.describe, where="cpu")


@pytest.mark.parametrize("colour", ["grey", "rgb", "opponent", "hsv"])
@pytest.mark.parametrize("size", [(90, 130), (37, 61)])
def test_the_numbers_are_those_of_the_compiled_one(colour: maths.Colour, size: tuple[int, int]) -> None:
    image = photo(*size)
    want = maths.dense_sift(image, HOW, colour, np.float32)
    got = maths.dense_sift(image, HOW, colour, np.float32, on_torch)
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])
    assert want[2].max() > 100
    same_rows = got[2].any(axis=1) == want[2].any(axis=1)
    assert same_rows.mean() > 0.999  # the contrast of a row may lie at the threshold
    np.testing.assert_allclose(got[2][same_rows] / 512, want[2][same_rows] / 512, atol=1e-3)


def test_contrast_is_the_same() -> None:
    planes = maths.channels(photo(60, 70), "rgb")
    tops, lefts = (maths.first_bins(n, 4, 6, 5) for n in planes.shape[1:])
    values = np.empty((len(tops) * len(lefts), 3, 128), np.float32)
    want = maths.describe_planes(planes, 4, tops, lefts, HOW, values.copy())
    np.testing.assert_allclose(on_torch(planes, 4, tops, lefts, HOW, values), want, rtol=1e-3, atol=1e-6)


def test_a_flat_image_has_zero_rows() -> None:
    flat = np.full((50, 50, 3), 77, np.uint8)
    assert not maths.dense_sift(flat, HOW, "rgb", np.float32, on_torch)[2].any()


def test_a_window_wider_than_the_image_is_mirrored_as_often_as_it_takes() -> None:
    image = photo(14, 13)
    how = maths.DenseSift(step=1, bin_sizes=(3,), magnif=0.5, window=2.0, contrast_threshold=0.0)
    want = maths.dense_sift(image, how, "grey", np.float32)[2]
    np.testing.assert_allclose(maths.dense_sift(image, how, "grey", np.float32, on_torch)[2], want, atol=0.5)


def test_the_stage_uses_torch_on_a_gpu_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def spy(*given: Any, where: str) -> list[np.ndarray]:
        asked.append(where)
        return on_torch(*given)

    monkeypatch.setattr(in_torch, "describe", spy)
    images = Images.from_arrays([photo(60, 60), photo(40, 50)])
    stage = DenseSift(step=8)

    def described(where: device.Device) -> Descriptors:
        with device.use(where):
            return stage.transform(images)

    on_cpu = described("cpu")
    assert not asked
    on_gpu = described("cuda")
    assert set(asked) == {"cuda"}
    assert on_gpu.values.dtype == np.uint8
    off = np.abs(on_gpu.values.astype(int) - on_cpu.values)
    assert off.max() <= 1  # the fraction is dropped
    assert (off > 0).mean() < 0.01
