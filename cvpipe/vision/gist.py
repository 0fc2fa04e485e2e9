"""GIST: the energy of a whole image in scales, orientations and a grid of blocks.

Source: Oliva & Torralba, "Modeling the shape of the scene: a holistic representation of the spatial envelope", IJCV
2001, sections 3 and 4; constants of the program by the authors
(http://people.csail.mit.edu/torralba/code/spatialenvelope/).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

CUTOFF = 4.0
"""Cycles per image below which the prefilter takes out brightness and contrast."""
PREFILTER_MARGIN = 5
"""Mirrored pixels around the image for the prefilter."""
WEAK = 0.2
"""Local contrast (of log brightness) to which weaker contrasts are not raised."""
MARGIN = 32
"""Mirrored pixels around the image for the filters."""
HIGHEST = 0.3
"""Centre of the finest filters, cycles/px."""
STEP = 1.85
"""Ratio of the centres of neighbouring scales."""
RADIAL = 3.5
"""Narrowness along the frequency: exp(-3.5 (f / centre - 1)^2)."""


def prefiltered(level: np.ndarray) -> np.ndarray:
    """(S, S) brightness of 0 to 255 -> (S, S) float32 of even brightness and contrast.

    The logarithm, less its low frequencies, divided by its local deviation plus `WEAK`.
    """
    from scipy import fft

    values = np.pad(np.log1p(level.astype(np.float32)), PREFILTER_MARGIN, mode="symmetric")
    low = _low_pass(len(values))

    def blurred(pixels: np.ndarray) -> np.ndarray:
        return fft.irfft2(fft.rfft2(pixels) * low, s=pixels.shape)

    values = values - blurred(values)
    values = values / (WEAK + np.sqrt(np.abs(blurred(values**2))))
    return values[PREFILTER_MARGIN:-PREFILTER_MARGIN, PREFILTER_MARGIN:-PREFILTER_MARGIN]


def block_energies(image: np.ndarray, scales: int, orientations: int, grid: int) -> np.ndarray:
    """(S, S) float32 -> (scales, orientations, grid, grid) mean absolute response of each filter in each block."""
    from scipy import fft

    spectrum = fft.fft2(np.pad(image.astype(np.float32), MARGIN, mode="symmetric"))
    bank = filters(len(spectrum), scales, orientations)
    cuts = np.arange(grid) * len(image) // grid
    areas = np.diff([*cuts, len(image)])
    means = np.empty((len(bank), grid, grid), np.float32)
    for mean, transfer in zip(means, bank, strict=True):
        response = np.abs(fft.ifft2(spectrum * transfer))[MARGIN:-MARGIN, MARGIN:-MARGIN]
        total = np.add.reduceat(np.add.reduceat(response, cuts, axis=0), cuts, axis=1)
        mean[:] = total / np.outer(areas, areas)
    return means.reshape(scales, orientations, grid, grid)


@lru_cache(maxsize=4)
def filters(side: int, scales: int, orientations: int) -> np.ndarray:
    """(scales * orientations, side, side) float32 transfer functions, zero frequency first; read-only.

    Each passes one direction of waves but not its opposite, so that the absolute value of a response is the energy of
    an even and an odd filter. Orientation k lets waves through that run at -k pi / orientations from the x axis
    towards the y axis (down).
    """
    wave = np.fft.fftfreq(side)
    frequency, angle = (
        np.hypot(wave, wave[:, None]),
        np.arctan2(wave[:, None], wave + np.zeros_like(wave)[:, None]),
    )
    width = 2 * np.pi * 16 * orientations**2 / 32**2
    bank = np.empty((scales, orientations, side, side), np.float32)
    for scale, orientation in np.ndindex(scales, orientations):
        centre = HIGHEST / STEP**scale
        turn = angle + np.pi * orientation / orientations
        turn = turn - 2 * np.pi * np.rint(turn / (2 * np.pi))
        bank[scale, orientation] = np.exp(-RADIAL * (frequency / centre - 1) ** 2 - width * turn**2)
    flat = bank.reshape(-1, side, side)
    flat.setflags(write=False)
    return flat


@lru_cache(maxsize=4)
def _low_pass(side: int) -> np.ndarray:
    """(side, side // 2 + 1) float32, half of its largest value at `CUTOFF` cycles per image."""
    y, x = np.fft.fftfreq(side, 1 / side), np.fft.rfftfreq(side, 1 / side)
    passed = np.exp(-np.log(2) * (x**2 + y[:, None] ** 2) / CUTOFF**2).astype(np.float32)
    passed.setflags(write=False)
    return passed
