"""The Gaussian scale space of an image as a pyramid of octaves, and its differences of Gaussians.

Octave o samples the plane every 2^o / 2 px of the image, since the first octave is the doubled image (Lowe 2004,
section 3.3). Layer s of octave o has been blurred by sigma 2^(s / n) samples of that octave, or that times 2^o / 2 px.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 3; Rey Otero & Delbracio,
"Anatomy of the SIFT Method", IPOL 2014, section 2.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

CAMERA_BLUR = 0.5
"""Gaussian sigma that an image is taken to have already, px (Lowe 2004, section 3.3; Rey Otero & Delbracio, 2.2)."""
FIRST_STEP = 0.5
"""Distance of samples in the first octave, px: the image is doubled (Lowe 2004, section 3.3)."""
SMALLEST_SIDE = 11
"""Shorter side of the last octave, samples: keypoints stay 5 samples off each border (`dog_refinement.BORDER`)."""


def doubled(grey: np.ndarray) -> np.ndarray:
    """(H, W) -> (2 H, 2 W) float32: pixel (x, y) stays at (2 x, 2 y), the ones between are means of their neighbours.

    Nothing is shifted, unlike by `cv2.resize`, whose pixels are a quarter of a pixel off this grid. Right of the last
    column and below the last row the image is taken to go on as it is there.
    """
    height, width = grey.shape
    out = np.empty((2 * height, 2 * width), np.float32)
    wide = out[::2]
    wide[:, ::2] = grey
    wide[:, 1:-1:2] = (wide[:, :-2:2] + wide[:, 2::2]) / 2
    wide[:, -1] = wide[:, -2]
    out[1:-1:2] = (out[:-2:2] + out[2::2]) / 2
    out[-1] = out[-2]
    return out


def octave_count(height: int, width: int) -> int:
    """How many octaves an image of so many pixels has: the shorter side halves until `SMALLEST_SIDE`; at least one."""
    count, side = 1, 2 * min(height, width)
    while (side := (side + 1) // 2) >= SMALLEST_SIDE:
        count += 1
    return count


def blurs(layers: int, sigma: float, per_octave: int) -> np.ndarray:
    """(layers - 1,) sigmas, samples, that take each layer of an octave to the next one.

    Variances of Gaussians add up (Rey Otero & Delbracio, equations 7 and 10).
    """
    total = sigma * 2.0 ** (np.arange(layers) / per_octave)
    return np.sqrt(np.diff(total**2))


def gaussian_octaves(
    grey: np.ndarray, sigma: float = 1.6, per_octave: int = 3, extra: int = 3
) -> Iterator[np.ndarray]:
    """The octaves of an image, one after the other, each (per_octave + extra, h, w) float32 in the unit of `grey`.

    `grey` is (H, W), `sigma` the blur of each octave's first layer in samples. `extra` is 3 for keypoints: extrema
    over `per_octave` layers of differences need one more on both sides. With 1 an octave ends with the layer that
    the next one starts from.
    """
    steps = blurs(per_octave + extra, sigma, per_octave)
    first = sigma**2 - (CAMERA_BLUR / FIRST_STEP) ** 2
    base = _blurred(doubled(grey), first**0.5 if first > 0 else 0.0)
    for _ in range(octave_count(*grey.shape)):
        octave = np.empty((len(steps) + 1, *base.shape), np.float32)
        octave[0] = base
        for layer, step in enumerate(steps.tolist()):
            _blurred(octave[layer], step, octave[layer + 1])
        yield octave
        base = octave[per_octave][
            ::2, ::2
        ]  # blurred by 2 sigma: every second sample is enough (Lowe 2004, section 3)


def differences(octave: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """(L, h, w) -> (L - 1, h, w): the difference of Gaussians D = L(k sigma) - L(sigma) (Lowe 2004, equation 1)."""
    return np.subtract(octave[1:], octave[:-1], out)


def step_of(octave: np.ndarray | int) -> np.ndarray | float:
    """Distance of samples in an octave, px of the image."""
    return FIRST_STEP * 2.0**octave


def nearest_layer(
    scale: np.ndarray, sigma: float, per_octave: int, octaves: int
) -> tuple[np.ndarray, np.ndarray]:
    """(m,) octave and layer, both int64, whose blur is nearest to (m,) scales in px, on a logarithmic scale.

    The layers of an octave that are asked for are 1 to `per_octave`, as keypoints are found there; scales below those
    of the first octave have its layer 0 or 1, scales above the last octave its last.
    """
    steps = np.rint(per_octave * np.log2(np.maximum(scale, 1e-6) / (sigma * FIRST_STEP))).astype(np.int64)
    octave = np.clip((steps - 1) // per_octave, 0, octaves - 1)
    return octave, np.clip(steps - octave * per_octave, 0, per_octave)


def _blurred(samples: np.ndarray, sigma: float, out: np.ndarray | None = None) -> np.ndarray:
    """Convolved with a Gaussian that is cut off at 4 sigma, mirrored at the border."""
    if sigma == 0:
        return samples
    return cv2.GaussianBlur(samples, (0, 0), sigma, dst=out, borderType=cv2.BORDER_REFLECT_101)
