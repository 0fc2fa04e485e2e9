"""Make dense_sift_vlfeat.npz: descriptors by VLFeat 0.9.21, to compare with.

    apt install libvlfeat-dev
    pip install Cython scikit-image
    pip install --no-deps --no-build-isolation cyvlfeat==0.7.1
    python tests/data/make_dense_sift_vlfeat.py

Needs nothing of cvpipe, so run it in a virtual environment of its own. The pixels are crops of scikit-image's
photographs and are stored too. Every position is stored, and every seventh descriptor.

Grey is cyvlfeat's `phow`. Its colours smooth from channel to channel and misplace a bracket, so they are put together
here as VLFeat's vl_phow.m does: each channel smoothed alone, then `dsift`, then the contrast of the intensity.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from cyvlfeat.sift import dsift, phow
from scipy.ndimage import gaussian_filter
from skimage import color, data

SIZES = (4, 6, 8, 10)
KEEP = 7


def crops() -> dict[str, np.ndarray]:
    """(H, W, 3) uint8 RGB: a face, a cat's eye, a cup on a blurred table, the blank wall of a studio."""
    return {
        "astronaut": data.astronaut()[64:144, 180:276],
        "chelsea": data.chelsea()[90:175, 110:187],
        "coffee": data.coffee()[30:111, 330:420],
        "studio": data.astronaut()[0:64, 20:84],
    }


def channels(image: np.ndarray, colour: str) -> list[np.ndarray]:
    """Three (H, W) channels as in vl_phow.m; its opponent channels have grey first and a little of it in the others."""
    rgb = image / 255.0
    if colour == "hsv":
        rgb = color.rgb2hsv(rgb)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    if colour != "opponent":
        return [red, green, blue]
    grey = 0.3 * red + 0.59 * green + 0.11 * blue
    return [
        grey,
        (red - green) / np.sqrt(2) + 0.01 * grey,
        (red + green - 2 * blue) / np.sqrt(6) + 0.01 * grey,
    ]


def one_scale(planes: list[np.ndarray], colour: str, size: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """(m, 2) centres y, x and (m, 384) uint8 descriptors of one bin size."""
    start = int(1 + 1.5 * (max(SIZES) - size))
    height, width = planes[0].shape
    found = [
        dsift(
            gaussian_filter(plane, size / 6).astype(np.float32), step=step, size=size, norm=True, fast=True,
            bounds=np.array([start, start, height - 1, width - 1]),
        )
        for plane in planes
    ]  # fmt: skip
    frames = [f for f, _ in found]
    contrast = {
        "rgb": np.mean([f[:, 2] for f in frames], axis=0),
        "opponent": frames[0][:, 2],
        "hsv": frames[2][:, 2],
    }[colour]
    values = np.hstack([d for _, d in found])
    values[contrast < 0.005] = 0
    return frames[0][:, :2], values


def in_colour(image: np.ndarray, colour: str, step: int) -> tuple[np.ndarray, np.ndarray]:
    """(m, 2) centres y, x and (m, 384) uint8 descriptors of all scales."""
    planes = channels(image, colour)
    found = [one_scale(planes, colour, size, step) for size in SIZES]
    return np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def main() -> None:
    arrays: dict[str, np.ndarray] = {}
    for name, image in crops().items():
        arrays[f"{name}/pixels"] = image
        grey = np.dot(image / 255.0, [0.299, 0.587, 0.114]).astype(np.float32)
        results = {"grey": phow(grey, step=5, sizes=SIZES)}
        results |= {colour: in_colour(image, colour, 9) for colour in ("rgb", "opponent", "hsv")}
        for colour, (frames, values) in results.items():
            arrays[f"{name}/{colour}/yx"] = frames[:, :2].astype(np.float32)
            arrays[f"{name}/{colour}/values"] = values[::KEEP]
    grey = np.dot(arrays["coffee/pixels"] / 255.0, [0.299, 0.587, 0.114]).astype(np.float32)
    yx, values = dsift(
        grey, step=[5, 7], size=5, norm=True, fast=True, float_descriptors=True, window_size=1.5
    )
    arrays |= {"dsift/yx": yx[:, :2], "dsift/contrast": yx[:, 2], "dsift/values": values[::KEEP]}
    np.savez_compressed(Path(__file__).parent / "dense_sift_vlfeat.npz", **arrays)


if __name__ == "__main__":
    main()
