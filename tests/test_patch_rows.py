"""Patches made smaller, evened out and made white, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from cvpipe.vision.patch_rows import evened, rows_of, shrunk, shrunk_patches
from cvpipe.vision.whitening import whitening


def pixels(count: int, side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def test_a_patch_made_smaller_is_a_patch_of_the_image_made_smaller() -> None:
    image = pixels(1, 33)[0]
    small = shrunk(image, 3)
    blocks = image.reshape(11, 3, 11, 3, 3).mean(axis=(1, 3))
    assert np.abs(small - blocks).max() <= 0.5 + 1e-9
    patches = np.stack([image[6:18, 9:21], image[0:12, 21:33]])
    np.testing.assert_array_equal(shrunk_patches(patches, 3), [small[2:6, 3:7], small[0:4, 7:11]])


def test_what_is_left_over_is_dropped_and_less_than_a_block_is_nothing() -> None:
    image = pixels(1, 11)[0]
    np.testing.assert_array_equal(shrunk(image, 4), shrunk(image[:8, :8], 4))
    assert shrunk(image, 12).shape[:2] == (0, 0)
    assert shrunk_patches(pixels(2, 3), 4).shape[:3] == (2, 0, 0)
    assert shrunk_patches(pixels(0, 8), 2).shape == (0, 4, 4, 3)


def test_contrast_is_normalised_as_in_coates_program() -> None:
    patches = pixels(50, 6)
    flat = patches.reshape(50, -1).astype(np.float64)
    want = (flat - flat.mean(1, keepdims=True)) / np.sqrt(flat.var(1, keepdims=True) + 10)
    np.testing.assert_allclose(evened(rows_of(patches), "contrast", 10), want, atol=1e-5)


def test_a_flat_patch_is_zero_even_without_an_offset_to_its_variance() -> None:
    patches = np.full((2, 4, 4, 3), 77, np.uint8)
    assert not evened(rows_of(patches), "contrast", 10).any()
    assert not evened(rows_of(patches), "contrast", 0).any()


def test_brightness_only_keeps_the_ratio_of_contrasts() -> None:
    dark = np.zeros((2, 4, 4, 3), np.uint8)
    dark[0, :2], dark[1, :2] = 100, 200
    rows = evened(rows_of(dark), "brightness", 10)
    np.testing.assert_allclose(rows.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(rows[1], 2 * rows[0], rtol=1e-6)


@pytest.mark.parametrize("kind", ["zca", "pca"])
def test_white_rows_have_the_covariance_that_epsilon_leaves(kind: str) -> None:
    rng = np.random.default_rng(0)
    rows = (rng.standard_normal((3000, 8)) @ rng.standard_normal((8, 8)) + 5).astype(np.float32)
    white = whitening(rows, kind, 0.1)(rows)  # type: ignore[arg-type]
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-4)
    variances = np.linalg.eigvalsh(np.cov(rows.T, bias=True))
    got = np.linalg.eigvalsh(np.cov(white.T, bias=True))
    np.testing.assert_allclose(np.sort(got), np.sort(variances / (variances + 0.1)), rtol=1e-3)


def test_zca_is_the_symmetric_root_and_pca_its_rotation() -> None:
    rng = np.random.default_rng(1)
    rows = (rng.standard_normal((500, 5)) @ rng.standard_normal((5, 5))).astype(np.float32)
    covariance = np.cov(rows.T, bias=True)
    values, vectors = np.linalg.eigh(covariance + 0.2 * np.eye(5))
    zca, pca = whitening(rows, "zca", 0.2), whitening(rows, "pca", 0.2, 3)
    np.testing.assert_allclose(zca.matrix, vectors @ np.diag(values**-0.5) @ vectors.T, atol=1e-4)
    assert pca.matrix.shape == (5, 3)
    np.testing.assert_allclose(pca.basis @ pca.basis.T, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(zca(rows) @ pca.basis.T, pca(rows), atol=1e-4)


@pytest.mark.parametrize("kind", ["zca", "pca"])
def test_directions_that_do_not_vary_are_left_out(kind: str) -> None:
    """Rows of mean 0, as after `evening: contrast`, do not vary along their sum; rounding must not be blown up."""
    rows = np.random.default_rng(0).normal(0, 30, (4000, 12)).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    rows[:, 5] = 7
    made = whitening(rows, kind, 0.0)  # type: ignore[arg-type]
    white = made(rows)
    assert np.isfinite(white).all()
    values = np.linalg.eigvalsh(np.cov(white.T, bias=True))
    np.testing.assert_allclose(np.sort(values), [0, *[1] * 11], atol=2e-3)


def test_without_whitening_only_the_mean_is_taken_off() -> None:
    rows = np.random.default_rng(2).random((20, 4), dtype=np.float32)
    np.testing.assert_allclose(whitening(rows, "none", 0.1)(rows), rows - rows.mean(axis=0), atol=1e-6)


def test_a_grey_image_keeps_its_channel() -> None:
    image = pixels(1, 8)[0][..., :1]
    assert shrunk(image, 2).shape == (4, 4, 1)
    assert shrunk(image, 1).shape == (8, 8, 1)
