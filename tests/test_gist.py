from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cvpipe.data import Images
from cvpipe.stages.features.gist import Gist


def by_definition(level: np.ndarray, scales: int, orientations: int, grid: int) -> np.ndarray:
    """GIST in double precision, with centred spectra as the authors' program has them."""
    size = len(level)
    level = level.astype(float) - level.min()
    padded = np.pad(np.log(level * 255 / level.max() + 1), 5, mode="symmetric")
    n = len(padded)
    fx, fy = np.meshgrid(*[np.arange(-n // 2, n // 2)] * 2)
    low = np.fft.ifftshift(np.exp(-(fx**2 + fy**2) / (4 / np.sqrt(np.log(2))) ** 2))
    sharp = padded - np.fft.ifft2(np.fft.fft2(padded) * low).real
    even = sharp / (0.2 + np.sqrt(np.abs(np.fft.ifft2(np.fft.fft2(sharp**2) * low))))
    even = np.pad(even[5:-5, 5:-5], 32, mode="symmetric")
    n = len(even)
    fx, fy = np.meshgrid(*[np.arange(-n // 2, n // 2)] * 2)
    radius, angle = np.hypot(fx, fy), np.angle(fx + 1j * fy)
    rows = []
    for scale in range(scales):
        for k in range(orientations):
            turn = angle + np.pi / orientations * k
            turn = turn + 2 * np.pi * (turn < -np.pi) - 2 * np.pi * (turn > np.pi)
            bump = -10 * 0.35 * (radius / n / (0.3 / 1.85**scale) - 1) ** 2
            gain = np.exp(bump - 2 * (16 * orientations**2 / 32**2) * np.pi * turn**2)
            energy = np.abs(np.fft.ifft2(np.fft.fft2(even) * np.fft.ifftshift(gain)))[32:-32, 32:-32]
            side = size // grid
            rows.append(energy.reshape(grid, side, grid, side).mean(axis=(1, 3)).ravel())
    return np.concatenate(rows)


@pytest.mark.parametrize(("size", "grid", "orientations"), [(128, 4, 8), (64, 2, 5)])
def test_numbers_are_those_of_the_definition(size: int, grid: int, orientations: int) -> None:
    from skimage.data import camera

    image = camera()[100 : 100 + size, 200 : 200 + size]
    stage = Gist(size=size, grid=grid, orientations=orientations, scales=3)
    got = stage.transform(Images.from_arrays([image])).values[0]
    np.testing.assert_allclose(got, by_definition(image, 3, orientations, grid), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("orientation", "angle"), [(0, 0), (4, np.pi / 2), (2, -np.pi / 4)])
def test_a_grating_answers_in_its_block_and_orientation(orientation: int, angle: float) -> None:
    y, x = np.mgrid[:128, :128]
    image = np.full((128, 128), 128, np.uint8)
    wave = 128 + 100 * np.cos(2 * np.pi * 0.3 * (x * np.cos(angle) + y * np.sin(angle)))
    image[64:, :64] = wave[64:, :64]  # the lower left quarter
    got = Gist(grid=2).transform(Images.from_arrays([image])).values.reshape(4, 8, 2, 2)
    assert np.unravel_index(got.argmax(), got.shape) == (0, orientation, 1, 0)


def test_brightness_and_contrast_do_not_matter_much(noise: Callable[..., np.ndarray]) -> None:
    image = noise(128, 128, 1)
    images = Images.from_arrays([image, image // 2 + np.uint8(60)])
    first, second = Gist().transform(images).values
    np.testing.assert_allclose(first, second, atol=0.05 * first.max())


def test_flat_images_are_zeros_and_all_sizes_fit(noise: Callable[..., np.ndarray]) -> None:
    images = Images.from_arrays([np.full((40, 40), 9, np.uint8), np.zeros((1, 1), np.uint8), noise(2, 300)])
    got = Gist(size=50, grid=3).transform(images).values
    assert got.shape == (3, 4 * 8 * 9)
    assert not got[:2].any()
    assert got[2].any()
