"""The quick saliency maps against formulas written in NumPy, SciPy and scikit-image."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from scipy import ndimage

from cvpipe.data import Images
from cvpipe.errors import RunError
from cvpipe.registry import stage_class
from cvpipe.stage import Stage
from cvpipe.stages.maps.dog_maps import DogMaps
from cvpipe.stages.saliency.centre_prior import CentrePrior
from cvpipe.stages.saliency.fine_grained import FineGrained
from cvpipe.stages.saliency.frequency_tuned import FrequencyTuned
from cvpipe.stages.saliency.gradient_energy import GradientEnergy
from cvpipe.stages.saliency.mean_saliency import MeanSaliency
from cvpipe.stages.saliency.spectral_residual import SpectralResidual

WORDS = [
    "centre_prior",
    "context_aware",
    "fine_grained",
    "frequency_tuned",
    "gradient_energy",
    "mean_saliency",
    "spectral_residual",
]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """(90, 130, 3) uint8."""
    from skimage import data

    return cv2.resize(data.coffee(), (130, 90), interpolation=cv2.INTER_AREA)


def saliency(stage: Stage, image: np.ndarray) -> np.ndarray:
    """(H, W)."""
    maps = stage.transform(Images.from_arrays([image]))
    assert maps.values.shape[1] == 1
    return maps.stack(0)[..., 0]


@pytest.mark.parametrize("word", WORDS)
def test_every_map_lies_in_0_to_1_at_the_size_of_the_image(word: str, photo: np.ndarray) -> None:
    stage = stage_class(word)()
    for image in (photo, photo[:5], photo[:1, :1], photo[..., 0], photo.astype(np.uint16) * 257):
        found = saliency(stage, image)
        assert found.shape == image.shape[:2]
        assert found.dtype == np.float32
        assert found.min() >= 0
        assert found.max() <= 1


@pytest.mark.parametrize("word", [word for word in WORDS if word not in ("centre_prior", "mean_saliency")])
@pytest.mark.parametrize("value", [0, 93, 255])
def test_a_flat_image_is_nowhere_salient(word: str, value: int) -> None:
    colour = np.array([value, 255 - value, 40], np.uint8)
    assert not saliency(stage_class(word)(), np.broadcast_to(colour, (30, 50, 3))).any()


def test_spectral_residual_against_the_paper() -> None:
    """The log spectrum less its local mean; OpenCV adds a blur of 5 px, squares, and reflects at the border."""
    from skimage import data

    image = cv2.resize(data.coffee(), (64, 64), interpolation=cv2.INTER_AREA)
    spectrum = np.fft.fft2(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    log = np.log(np.abs(spectrum))
    residual = log - ndimage.uniform_filter(log, 3, mode="mirror")
    back = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum))))
    weights = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 8**2))
    for axis in (0, 1):
        back = ndimage.convolve1d(back, weights / weights.sum(), axis, mode="mirror")
    want = back**2 / (back**2).max()
    np.testing.assert_allclose(
        saliency(SpectralResidual(), image), want, atol=3e-3
    )  # its angles err by 0.3 degrees


def test_fine_grained_against_the_paper(photo: np.ndarray) -> None:
    """Centre less surround and surround less centre, of six sizes; OpenCV's sizes and smoothing."""
    grey = cv2.medianBlur(cv2.GaussianBlur(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), (3, 3), 0), 5)
    bright, dark = np.zeros((2, *grey.shape))
    for reach in (12, 24, 48, 28, 56, 112):
        for y, x in np.ndindex(grey.shape):
            window = grey[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
            centre = float(grey[y, x])
            around = (float(window.sum()) - centre) / (window.size - 1)
            bright[y, x] += max(centre - around, 0)
            dark[y, x] += max(around - centre, 0)
    want = bright / bright.max() + dark / dark.max()
    got = saliency(FineGrained(), photo)
    assert np.corrcoef(got.ravel(), want.ravel())[0, 1] > 0.98  # OpenCV truncates to whole numbers on the way


def test_frequency_tuned_against_the_paper(photo: np.ndarray) -> None:
    from skimage.color import rgb2lab

    lab = rgb2lab(photo)
    smooth = lab
    for axis in (0, 1):
        smooth = ndimage.convolve1d(smooth, np.array([1, 4, 6, 4, 1]) / 16, axis, mode="reflect")
    want = np.linalg.norm(smooth - lab.mean(axis=(0, 1)), axis=2)
    want = (want - want.min()) / (want.max() - want.min())
    np.testing.assert_allclose(
        saliency(FrequencyTuned(), photo), want, atol=4e-3
    )  # CIELab of the two differs by up to 0.45


def test_gradient_energy_against_scipy(photo: np.ndarray) -> None:
    smooth = ndimage.gaussian_filter(photo / 255, (1, 1, 0), mode="reflect")
    squares = sum(
        ndimage.convolve1d(smooth, [0.5, 0, -0.5], axis, mode="reflect") ** 2 for axis in (0, 1)
    ).mean(axis=2)
    want = np.sqrt(ndimage.gaussian_filter(squares, 4, mode="reflect"))
    np.testing.assert_allclose(saliency(GradientEnergy(), photo), want / want.max(), atol=1e-4)


def test_centre_prior_falls_by_a_gaussian() -> None:
    found = saliency(CentrePrior(sigma=0.25), np.zeros((41, 81, 3), np.uint8))
    assert found[20, 40] == 1
    np.testing.assert_allclose(found, found[::-1, ::-1])
    assert found[20, 40 + 20] == pytest.approx(np.exp(-((20 / 81 / 0.25) ** 2) / 2))
    assert found[20 + 10, 40] == pytest.approx(np.exp(-((10 / 41 / 0.25) ** 2) / 2))


def test_mean_saliency_is_the_mean(photo: np.ndarray) -> None:
    parts = [FrequencyTuned(), GradientEnergy(), CentrePrior(sigma=0.5)]
    got = saliency(MeanSaliency(first=parts[0], second=parts[1], fourth=parts[2]), photo)
    np.testing.assert_allclose(got, np.mean([saliency(part, photo) for part in parts], axis=0), rtol=1e-6)


def test_mean_saliency_refuses_maps_that_do_not_fit(photo: np.ndarray) -> None:
    with pytest.raises(RunError, match="'dog_maps' must give one map of the size of those of 'fine_grained'"):
        saliency(MeanSaliency(first=FineGrained(), second=DogMaps()), photo)


def test_aerial_photographs_are_salient_where_something_stands(real_data: Callable) -> None:
    """The aircraft of airplane05 is white on pale concrete; the lower left corner of the apron is empty."""
    image = cv2.imread(str(real_data("ucmerced") / "airplane" / "airplane05.jpg"))[..., ::-1]
    found = saliency(stage_class("context_aware")(), image)
    assert found[100:180, 90:190].mean() > 3 * found[:80, 150:].mean()
