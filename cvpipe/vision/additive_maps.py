"""Explicit features whose inner products are, nearly, an additive kernel of histograms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Spectrum = Callable[[float], float]


def chi2_spectrum(frequency: float) -> float:
    """Of the kernel 2 x y / (x + y). Vedaldi & Zisserman 2012, table 1."""
    return float(1 / np.cosh(np.pi * frequency))


def intersection_spectrum(frequency: float) -> float:
    """Of the kernel min(x, y). Vedaldi & Zisserman 2012, table 1."""
    return 2 / np.pi / (1 + 4 * frequency**2)


def additive_map(values: np.ndarray, spectrum: Spectrum, steps: int, interval: float) -> np.ndarray:
    """(n, D * (2 steps - 1)) float32 for (n, D) values that are not negative; zeros give zeros.

    A homogeneous kernel is sqrt(x y) times a function of log x - log y, whose spectrum is sampled at the
    frequencies j * interval for j < steps. First sqrt(x) times its part at frequency 0 for all D, then the
    cosines and the sines at one frequency after the other.

    Source: Vedaldi & Zisserman, "Efficient additive kernels via explicit feature maps", IEEE Trans. PAMI 2012,
    section 4, equation 17.
    """
    x = values.astype(np.float32, copy=False)
    roots = np.sqrt(x)
    logs = np.log(np.where(x > 0, x, np.float32(1)))
    parts = [roots * np.float32(np.sqrt(interval * spectrum(0)))]
    for step in range(1, steps):
        size = roots * np.float32(np.sqrt(2 * interval * spectrum(step * interval)))
        angle = logs * np.float32(step * interval)
        parts += [size * np.cos(angle), size * np.sin(angle)]
    return np.concatenate(parts, axis=1)
