"""Gabor filters as a model of the cells of the primary visual cortex, at several orientations and octaves.

Source: Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by
two-dimensional visual cortical filters", JOSA A 1985 (simple cells); Adelson & Bergen, "Spatiotemporal energy models
for the perception of motion", JOSA A 1985 (complex cells: the energy of a quadrature pair).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np

OCTAVES = 1.0
"""Bandwidth at half the largest response; 1 to 1.5 octaves are usual in cortex (Daugman 1985)."""
REACH = 3.0
"""Sigmas after which a filter is cut off."""


@lru_cache(maxsize=32)
def quadrature_pairs(wavelength: float, orientations: int, aspect: float) -> tuple[np.ndarray, ...]:
    """For each orientation an even and an odd filter, (2, s, s) float32, read-only.

    wavelength: of the wave under the Gaussian, px. Orientation k is the direction in which the wave runs, k pi /
    orientations from the x axis towards the y axis (down). aspect: sigma across the stripes / sigma along them.
    The even filter has no mean, as the odd one. A grating of the filter's wavelength and amplitude 1 gives
    responses of amplitude 1.
    """
    ratio = 2**OCTAVES
    sigma = wavelength / np.pi * np.sqrt(np.log(2) / 2) * (ratio + 1) / (ratio - 1)
    reach = int(np.ceil(REACH * sigma / min(aspect, 1)))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    pairs = []
    for angle in np.pi * np.arange(orientations) / orientations:
        across, along = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        window = np.exp(-(across**2 + (aspect * along) ** 2) / (2 * sigma**2))
        window *= 2 / window.sum()
        phase = 2 * np.pi * across / wavelength
        even = window * (np.cos(phase) - (window * np.cos(phase)).sum() / window.sum())
        pair = np.stack([even, window * np.sin(phase)]).astype(np.float32)
        pair.setflags(write=False)
        pairs.append(pair)
    return tuple(pairs)


def energies(
    image: np.ndarray, wavelength: float, scales: int, orientations: int, aspect: float
) -> Iterator[np.ndarray]:
    """Responses of complex cells, (h, w) float32 each: scale by scale, in each one orientation by orientation.

    (H, W) float32 image. Scale s has a wavelength of `wavelength` x 2^s px: the same filters on the image after s
    times halving it (cv2.pyrDown). Borders are mirrored.
    """
    for scale in range(scales):
        image = cv2.pyrDown(image) if scale else image
        for even, odd in quadrature_pairs(wavelength, orientations, aspect):
            first, second = (
                cv2.filter2D(image, -1, cell, borderType=cv2.BORDER_REFLECT) for cell in (even, odd)
            )
            yield np.sqrt(
                first * first + second * second
            )  # cv2.magnitude depends on where arrays lie in memory
