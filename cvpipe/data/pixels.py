"""From an array of any usual type to (H, W, 3) uint8 RGB: the one rule for images in memory and in files.

- bool: False is 0, True is 255.
- uint8: as it is.
- uint16: scaled linearly, 65535 becomes 255, rounded to the nearest.
- float: must lie in [0, 1]; times 255, rounded to the nearest.
- One channel is repeated three times; three are red, green, blue; a second or a fourth channel is opacity
  (not premultiplied): the image is blended over white, in its own type, before it is scaled.

Everything else has no agreed meaning as an image and is refused.
"""

from __future__ import annotations

import numpy as np

from cvpipe.errors import BadImage

OPAQUE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}
"""The largest value of an integer type: white, and full opacity."""


def to_rgb8(array: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 1 to 4), bool, uint8, uint16 or float -> (H, W, 3) uint8, a copy.

    Raises `BadImage` for another shape or type, for an empty array, for floats that are NaN or not in [0, 1].
    """
    array = np.asarray(array)
    _check(array)
    pixels = array[..., None] if array.ndim == 2 else array
    if pixels.dtype == bool:
        pixels = pixels * np.uint8(255)
    if pixels.shape[2] in (2, 4):
        pixels = over_white(pixels)
    pixels = _to_uint8(pixels)
    if pixels.shape[2] == 1:
        pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return np.array(pixels, dtype=np.uint8, order="C")


def over_white(pixels: np.ndarray) -> np.ndarray:
    """(H, W, C + 1) uint8, uint16 or float, the last channel opacity -> (H, W, C) of the same type."""
    if pixels.dtype.kind == "f":
        opacity = pixels[..., -1:]
        return pixels[..., :-1] * opacity + (1 - opacity)
    white = OPAQUE[pixels.dtype.newbyteorder("=")]
    # 65535 * 65535 + 65535 // 2 still fits in 32 bits.
    colour, opacity = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    blend = colour * opacity + white * (white - opacity)
    return ((blend + white // 2) // white).astype(pixels.dtype)


def _to_uint8(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype.kind == "f":
        return np.rint(pixels * pixels.dtype.type(255)).astype(np.uint8)
    if pixels.dtype.itemsize == 2:
        # 65535 / 255 = 257 is odd, so adding 128 rounds to the nearest and there are no ties.
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return pixels


def _check(array: np.ndarray) -> None:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 2, 3, 4)):
        raise BadImage(f"an image has the shape (H, W) or (H, W, 1 to 4), got {array.shape}")
    if array.size == 0:
        raise BadImage(f"an image without pixels, shape {array.shape}")
    if array.dtype != bool and array.dtype.kind != "f" and array.dtype.newbyteorder("=") not in OPAQUE:
        raise BadImage(f"pixels are bool, uint8, uint16 or float, got {array.dtype}")
    if array.dtype.kind == "f" and not (array.min() >= 0 and array.max() <= 1):  # NaN fails both
        raise BadImage(f"float pixels lie in [0, 1], got {array.min():.4g} to {array.max():.4g}")
