"""Saliency maps that are written down in a few lines."""

from __future__ import annotations

import cv2
import numpy as np

from cvpipe.vision.colour import lab
from cvpipe.vision.working_size import grey

FAINT = 1e-3
"""Contrast below which a map is flat, of 1 for the greatest possible: a quarter of a grey level of 255. All that
rounding makes of exactly equal places lies below."""
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16
"""Low-pass filter of 5 px along each side; Achanta 2009."""
LARGEST_L = 100
"""Of CIELab."""
XY = ((1, 0), (0, 1))
"""Orders of the two first derivatives."""


def unit_range(values: np.ndarray, faint: float = FAINT) -> np.ndarray:
    """Stretched from the least to the greatest, to [0, 1]; zeros if these are no more than `faint` apart."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high - low > faint else np.zeros_like(values)


def frequency_tuned(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1]: distance of the smoothed colour from the mean, in CIELab.

    Source: Achanta, Hemami, Estrada & Süsstrunk, "Frequency-tuned salient region detection", CVPR 2009.
    """
    colours = lab(image)
    colours -= colours.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    smooth = cv2.sepFilter2D(colours, -1, BINOMIAL, BINOMIAL, borderType=cv2.BORDER_REFLECT)
    return unit_range(np.sqrt((smooth**2).sum(axis=2)), FAINT * LARGEST_L)


def gradient_energy(image: np.ndarray, smoothing: float, window: float) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1]: root of the mean squared gradient around, of 1 for the largest.

    Colours are smoothed by a Gaussian of sigma `smoothing` px, squares of all channels averaged under one of `window`
    px. Zeros where nothing exceeds `FAINT` per px.

    Source: Di Zenzo, "A note on the gradient of a multi-image", CVGIP 1986: the trace of the colour structure tensor.
    """
    smooth = cv2.GaussianBlur(image / np.float32(255), (0, 0), smoothing, borderType=cv2.BORDER_REFLECT)
    dx, dy = (
        cv2.Sobel(smooth, -1, *order, ksize=1, scale=0.5, borderType=cv2.BORDER_REFLECT) for order in XY
    )
    squares = (dx**2 + dy**2).mean(axis=2)
    root = np.sqrt(cv2.GaussianBlur(squares, (0, 0), window, borderType=cv2.BORDER_REFLECT))
    return root / root.max() if root.max() > FAINT else np.zeros_like(root)


def centre_prior(shape: tuple[int, ...], sigma: float) -> np.ndarray:
    """(H, W) float32 in (0, 1]: a Gaussian about the centre, sigma in parts of each side."""
    y, x = (((np.arange(side) + 0.5) / side - 0.5) / sigma for side in shape[:2])
    return np.exp(-(y[:, None] ** 2 + x**2) / 2).astype(np.float32)


def spectral_residual(image: np.ndarray, side: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1]: what stands out of the smoothed spectrum of the grey image.

    By OpenCV, from `side` x `side` px. Zeros for an image of one grey, which OpenCV fills with rounding errors.
    """
    pixels = grey(image)
    if pixels.min() == pixels.max():
        return np.zeros(pixels.shape, np.float32)
    saliency = cv2.saliency.StaticSaliencySpectralResidual.create()
    saliency.setImageWidth(side)
    saliency.setImageHeight(side)
    return saliency.computeSaliency(pixels)[1]


def fine_grained(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (H, W) float32 in [0, 1]: difference of the grey from its surroundings of six sizes.

    By OpenCV. Zeros for an image of one grey.
    """
    return cv2.saliency.StaticSaliencyFineGrained.create().computeSaliency(grey(image))[1]
