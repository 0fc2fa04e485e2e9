"""The dense encoder and its pooling, against a loop over positions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cvpipe.vision.dense_codes import BLOCK, folded, pooled, positions
from cvpipe.vision.patch_rows import Evening, evened, rows_of
from cvpipe.vision.region_pooling import Level, Pool, RegionSums
from cvpipe.vision.whitening import Whitening, whitening

WINDOW = (4, 5)
POOLS: list[Pool] = ["mean", "std", "max", "sum"]


def learned(image: np.ndarray, evening: Evening) -> tuple[Whitening, np.ndarray, np.ndarray]:
    """A whitening from patches of an image, random filters and offsets."""
    rng = np.random.default_rng(3)
    rows = evened(naive_patches(image, 1)[0], evening, 10)
    white = whitening(rows, "zca", 0.01)
    return white, rng.standard_normal((white.matrix.shape[1], 7)), rng.standard_normal(7)


def naive_patches(image: np.ndarray, stride: int) -> tuple[np.ndarray, tuple[int, int]]:
    h, w = WINDOW
    places = [
        (y, x)
        for y in range(0, image.shape[0] - h + 1, stride)
        for x in range(0, image.shape[1] - w + 1, stride)
    ]
    cut = np.stack([image[y : y + h, x : x + w] for y, x in places])
    shape = (len({y for y, _ in places}), len({x for _, x in places}))
    return rows_of(cut), shape


def naive(table: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """(regions, pools, K) of codes (rows, columns, K)."""
    height, width = table.shape[:2]
    found = []
    for i in range(grid[0]):
        for j in range(grid[1]):
            cell = table[
                height * i // grid[0] : height * (i + 1) // grid[0],
                width * j // grid[1] : width * (j + 1) // grid[1],
            ].reshape(-1, table.shape[2])
            zeros = np.zeros(table.shape[2])
            some = [cell.mean(0), cell.std(0), cell.max(0), cell.sum(0)] if len(cell) else [zeros] * 4
            found.append(np.stack(some))
    return np.stack(found)


@pytest.mark.parametrize("evening", ["contrast", "brightness", "none"])
@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_codes_are_those_of_a_loop_over_positions(
    noise: Callable[..., np.ndarray], evening: Evening, stride: int, channels: int
) -> None:
    image = noise(41, 53)[..., :channels]
    white, matrix, offset = learned(image, evening)
    levels: list[Level] = [1, 2, (3, 1)]
    rows, shape = naive_patches(image, stride)
    codes = np.maximum(white(evened(rows, evening, 10)) @ matrix + offset, 0).reshape(*shape, -1)
    want = np.concatenate([naive(codes, grid) for grid in ((1, 1), (2, 2), (3, 1))])
    inner = white.matrix @ matrix
    filters = folded(inner, offset - white.mean @ inner, evening, 10, WINDOW)
    got = pooled(image, filters, lambda r: np.maximum(r, 0), stride, levels, POOLS)
    assert got is not None
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-4 * np.abs(want[:, 0]).max())


def test_an_image_of_many_blocks_is_one_of_few(noise: Callable[..., np.ndarray]) -> None:
    image = noise(20, BLOCK + 40)  # one row of positions is longer than a block
    white, matrix, offset = learned(image[:, :60], "contrast")
    filters = folded(white.matrix @ matrix, offset, "contrast", 10, WINDOW)
    got = pooled(image, filters, lambda r: r, 1, [1], ["mean"])
    rows, _ = naive_patches(image, 1)
    want = (evened(rows, "contrast", 10) @ white.matrix @ matrix + offset).mean(axis=0)
    assert got is not None
    np.testing.assert_allclose(got[0, 0], want, atol=1e-3)


def test_a_flat_image_has_the_codes_of_a_flat_patch_and_no_deviation() -> None:
    image = np.full((20, 30, 3), 9, np.uint8)
    filters = folded(np.ones((60, 2)), np.array([0.3, -1.0]), "contrast", 0.0, WINDOW)
    got = pooled(image, filters, lambda r: r, 1, [2], ["mean", "std"])
    assert got is not None
    np.testing.assert_allclose(got[:, 0], [[0.3, -1.0]] * 4, rtol=1e-6)
    assert not got[:, 1].any()


def test_an_image_smaller_than_a_patch_has_no_codes() -> None:
    filters = folded(np.ones((60, 2)), np.zeros(2), "contrast", 10.0, WINDOW)
    for shape in ((3, 30, 3), (30, 4, 3), (0, 0, 3)):
        image = np.zeros(shape, np.uint8)
        assert 0 in positions(image, WINDOW, 1)
        assert pooled(image, filters, lambda r: r, 1, [1], ["mean"]) is None


def test_a_region_without_positions_is_zero() -> None:
    sums = RegionSums(1, 3, [2], ["mean", "max"])
    sums.add(0, np.full((1, 3, 2), -5, np.float32))
    got = sums.pooled()
    assert not got[:2].any()  # the upper row of regions has no row of positions
    np.testing.assert_array_equal(got[2:], np.full((2, 2, 2), -5))


def test_the_deviation_of_large_equal_vectors_is_zero() -> None:
    sums = RegionSums(4, 4, [1], ["std", "sum"])
    for first in range(4):
        sums.add(first, np.full((1, 4, 3), 1e4 + 0.3, np.float32))
    got = sums.pooled()
    assert not got[0, 0].any()
    np.testing.assert_allclose(got[0, 1], 16 * (1e4 + 0.3), rtol=1e-6)
