from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from scipy.ndimage import convolve

from cvpipe.data import Images
from cvpipe.stages.features.gabor import Gabor
from cvpipe.vision.gabor import energies, quadrature_pairs


def grating(wavelength: float, angle: float, phase: float, side: int = 96) -> np.ndarray:
    """Brightness 0.5 with a wave of amplitude 0.25 that runs in a direction."""
    y, x = np.mgrid[:side, :side]
    wave = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength + phase)
    return (0.5 + 0.25 * wave).astype(np.float32)


@pytest.mark.parametrize("aspect", [0.5, 1.0])
@pytest.mark.parametrize("orientation", [0, 1, 3])
def test_filters_are_those_of_scikit_image_without_a_mean(orientation: int, aspect: float) -> None:
    from skimage.filters import gabor_kernel

    even, odd = quadrature_pairs(8.0, 4, aspect)[orientation]
    sigma = 0.5622 * 8  # a bandwidth of one octave
    wide = gabor_kernel(1 / 8, orientation * np.pi / 4, sigma_x=sigma, sigma_y=sigma / aspect, n_stds=6)
    top, left = ((s - len(even)) // 2 for s in wide.shape)
    want = wide[top : top + len(even), left : left + len(even)]
    window = np.abs(want)
    want_even = want.real - window * (want.real.sum() / window.sum())
    np.testing.assert_allclose(odd, want.imag * 2 / window.sum(), atol=1e-5)
    np.testing.assert_allclose(even, want_even * 2 / window.sum(), atol=1e-5)
    assert abs(float(even.sum())) < 1e-4


@pytest.mark.parametrize("phase", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("orientation", [0, 2, 5])
def test_a_complex_cell_answers_its_grating_whatever_the_phase(orientation: int, phase: float) -> None:
    image = grating(4.0, orientation * np.pi / 6, phase)
    responses = np.array([e[30:-30, 30:-30] for e in energies(image, 4.0, 1, 6, 0.5)])
    np.testing.assert_allclose(responses[orientation], 0.25, rtol=0.02)
    assert (np.delete(responses, orientation, axis=0).max(axis=(1, 2)) < 0.6 * 0.25).all()


def test_a_scale_is_an_octave() -> None:
    fine, coarse = Images.from_arrays([grating(4, 0, 0), grating(16, 0, 0)]), Gabor(scales=4, orientations=4)
    means = coarse.transform(fine).values.reshape(2, 4, 4, 2)[..., 0]
    assert means[0].argmax() == 0  # scale 0, orientation 0
    assert means[1].argmax() == 2 * 4


def test_numbers_by_plain_convolution(noise: Callable[..., np.ndarray]) -> None:
    image = noise(40, 52, 1)
    got = Gabor(scales=2, orientations=3).transform(Images.from_arrays([image])).values[0].reshape(2, 3, 2)
    level = image / np.float32(255)
    for scale in range(2):
        level = cv2.pyrDown(level) if scale else level
        for orientation, (even, odd) in enumerate(quadrature_pairs(4.0, 3, 0.5)):
            parts = [
                convolve(level.astype(float), k[::-1, ::-1].astype(float), mode="reflect")
                for k in (even, odd)
            ]
            energy = np.hypot(*parts)
            np.testing.assert_allclose(got[scale, orientation], [energy.mean(), energy.std()], rtol=1e-3)


def test_flat_and_tiny_images_give_zeros() -> None:
    images = Images.from_arrays([np.full((30, 20), 200, np.uint8), np.full((1, 1), 255, np.uint8)])
    np.testing.assert_allclose(Gabor().transform(images).values, 0, atol=1e-4)
