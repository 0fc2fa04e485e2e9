"""Dense SIFT against VLFeat, and against its definition in double precision."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cvpipe.data import Descriptors, Images
from cvpipe.stages.descriptors.dense_sift import DenseSift
from cvpipe.vision import dense_sift as maths

VLFEAT = np.load(
    Path(__file__).parent / "data" / "dense_sift_vlfeat.npz"
)  # by make_dense_sift_vlfeat.py beside it
KEPT = slice(None, None, 7)
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "studio")


def describe(*images: np.ndarray, **options: Any) -> Descriptors:
    return DenseSift(**options).transform(Images.from_arrays(images))


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of rows that are not zero in both."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    length = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return ((a * b).sum(axis=1) / np.maximum(length, 1e-9))[length > 0]


def by_definition(plane: np.ndarray, bin_size: int, top: int, left: int, window: float) -> np.ndarray:
    """One descriptor, as sums over pixels in double precision; a place outside takes the gradient of the border."""
    dy, dx = np.gradient(plane.astype(np.float64))
    angle = np.arctan2(dy, dx) % (2 * np.pi) / (np.pi / 4)
    bins = np.zeros((4, 4, 8))
    offsets = np.arange(1 - bin_size, bin_size)
    triangle = 1 - abs(offsets) / bin_size
    for i, j, k in np.ndindex(bins.shape):
        rows = np.clip(top + i * bin_size + offsets, 0, plane.shape[0] - 1)
        columns = np.clip(left + j * bin_size + offsets, 0, plane.shape[1] - 1)
        gap = abs(angle - k)
        share = np.hypot(dx, dy) * np.maximum(1 - np.minimum(gap, 8 - gap), 0)
        bins[i, j, k] = triangle @ share[np.ix_(rows, columns)] @ triangle
    far = (np.arange(4)[:, None] - 1.5) * bin_size - offsets
    weight = np.exp(-(far**2) / (2 * (window * bin_size) ** 2)).mean(axis=1)
    bins *= weight[:, None, None] * weight[:, None]
    unit = np.minimum(bins / np.linalg.norm(bins), 0.2)
    return np.minimum(512 * unit / np.linalg.norm(unit), 255).ravel()


@pytest.mark.parametrize("photograph", PHOTOGRAPHS)
@pytest.mark.parametrize("colour", ["grey", "rgb", "opponent", "hsv"])
def test_phow_has_the_places_and_the_values_of_vlfeat(photograph: str, colour: str) -> None:
    got = describe(VLFEAT[f"{photograph}/pixels"], colour=colour, step=5 if colour == "grey" else 9)
    np.testing.assert_array_equal(got.xy[:, ::-1], VLFEAT[f"{photograph}/{colour}/yx"])
    values, want = got.values[KEPT], VLFEAT[f"{photograph}/{colour}/values"]
    np.testing.assert_array_equal(values.any(axis=1), want.any(axis=1))
    for channel in range(want.shape[1] // 128):
        found = cosines(*(v[:, 128 * channel : 128 * (channel + 1)] for v in (values, want)))
        assert np.median(found) > 0.9999
        assert found.min() > 0.999


def test_vlfeat_found_contrast_and_none() -> None:
    zero = [not row.any() for p in PHOTOGRAPHS for row in VLFEAT[f"{p}/grey/values"]]
    assert 10 < sum(zero) < len(zero) - 100


def test_dsift_has_the_contrast_of_vlfeat_and_its_float_values() -> None:
    grey = maths.channels(VLFEAT["coffee/pixels"], "grey")[0]
    tops, lefts = np.arange(0, 81 - 15, 5), np.arange(0, 90 - 15, 7)
    values = np.empty((len(tops) * len(lefts), 1, 128), np.float32)
    contrast = maths.describe(grey, 5, tops, lefts, 1.5, values)
    np.testing.assert_allclose(contrast, VLFEAT["dsift/contrast"], rtol=1e-3, atol=1e-6)
    assert cosines(values[KEPT, 0], VLFEAT["dsift/values"]).min() > 0.9999


@pytest.mark.parametrize(("bin_size", "window"), [(1, 2.0), (2, 1.5), (5, 2.0), (8, 0.5)])
def test_a_descriptor_is_what_its_definition_says(
    noise: Callable[..., np.ndarray], bin_size: int, window: float
) -> None:
    plane = noise(41, 47, 1).astype(np.float32) / 255
    tops, lefts = np.arange(0, 41 - 3 * bin_size, 4), np.arange(1, 47 - 3 * bin_size, 3)
    values = np.empty((len(tops) * len(lefts), 1, 128), np.float32)
    maths.describe(plane, bin_size, tops, lefts, window, values)
    rng = np.random.default_rng(0)
    for row in {0, len(values) - 1, *rng.integers(0, len(values), 6).tolist()}:
        top, left = tops[row // len(lefts)], lefts[row % len(lefts)]
        want = by_definition(plane, bin_size, top, left, window)
        np.testing.assert_allclose(values[row, 0], want, atol=0.02)  # of 255


def test_uint8_is_the_whole_part_of_float32(noise: Callable[..., np.ndarray]) -> None:
    image = noise(60, 70)
    whole, exact = describe(image), describe(image, quantise=False)
    assert (whole.values.dtype, exact.values.dtype) == (np.uint8, np.float32)
    assert exact.values.max() > 100
    np.testing.assert_array_equal(whole.values, exact.values.astype(np.uint8))


def test_scales_share_their_centres_and_are_in_sigmas_of_sift(noise: Callable[..., np.ndarray]) -> None:
    got = describe(noise(64, 80), step=8, bin_sizes=(4, 8))
    small, large = (got.xy[got.scale == np.float32(s / 3)] for s in (4, 8))
    assert len(small) + len(large) == len(got.xy)
    assert large[0].tolist() == [1 + 1.5 * 8, 1 + 1.5 * 8]
    assert {tuple(xy) for xy in large.tolist()} < {tuple(xy) for xy in small.tolist()}


@pytest.mark.parametrize(("side", "rows"), [(31, 0), (32, 1), (35, 1), (36, 4)])
def test_an_image_smaller_than_a_descriptor_has_none(side: int, rows: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    assert len(describe(image, bin_sizes=(10,)).xy) == rows  # 3 bins and 1 px, after a margin of 1 px


def test_a_smaller_scale_remains_where_the_largest_does_not_fit(noise: Callable[..., np.ndarray]) -> None:
    got = describe(noise(24, 200), bin_sizes=(2, 10), step=4)
    assert len(got.xy)
    assert set(got.scale) == {np.float32(2 / 3)}


def test_a_flat_image_has_zero_rows_at_every_threshold() -> None:
    image = np.full((50, 50, 3), 77, np.uint8)
    for threshold in (0.0, 0.005):
        for colour in maths.CHANNELS:
            got = describe(image, contrast_threshold=threshold, colour=colour, quantise=False)
            assert len(got.values)
            assert not got.values.any()


def test_the_threshold_decides_which_rows_are_zero(noise: Callable[..., np.ndarray]) -> None:
    faint = noise(64, 64)
    faint[:40] //= 16
    kept = [describe(faint, contrast_threshold=t).values.any(axis=1).mean() for t in (0.0, 0.03, 1.0)]
    assert kept[0] == 1
    assert 0 < kept[1] < 1
    assert kept[2] == 0


def test_the_channels_of_a_grey_image_say_the_same() -> None:
    image = np.repeat(VLFEAT["coffee/pixels"][..., :1], 3, axis=2)
    grey = describe(image).values
    rgb, opponent, hsv = (describe(image, colour=c).values for c in ("rgb", "opponent", "hsv"))
    for c in range(3):
        assert abs(rgb[:, 128 * c : 128 * (c + 1)].astype(int) - grey).max() <= 1
    assert not hsv[:, :256].any()  # neither hue nor saturation
    np.testing.assert_array_equal(hsv[:, 256:], rgb[:, 256:])
    assert cosines(opponent[:, 128:256], grey).min() > 0.99  # a hundredth of grey is in it


def test_an_edge_to_the_right_is_orientation_zero_and_one_downwards_is_two() -> None:
    ramp = np.tile(np.arange(60, dtype=np.uint8) * 4, (60, 1))
    for image, strongest in ((ramp, 0), (ramp.T, 2), (ramp[:, ::-1], 4), (ramp.T[::-1], 6)):
        values = describe(np.repeat(image[..., None], 3, axis=2)).values.reshape(-1, 16, 8)
        assert (values.argmax(axis=2) == strongest).all()
