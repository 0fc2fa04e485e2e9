"""From the bytes of an image file to (H, W, 3) uint8 RGB, in one declared way, or a reason why not.

PNG, JPEG, TIFF, BMP, PPM/PGM/PBM, WebP and GIF (the first frame of those that have several).

- Grey, 1-bit and palette images become RGB; a transparent palette entry is an opacity.
- Opacity is blended over white. 16-bit values are scaled linearly, 65535 becomes 255, rounded. Floats must
  lie in [0, 1] and are multiplied by 255. (`cvpipe.data.pixels` is the same rule for arrays.)
- CMYK and YCbCr are converted by Pillow's formulas. Colour profiles (ICC) and gamma are ignored.
- The EXIF orientation is applied: images come upright.
- 32-bit integers are taken as 16-bit values and must lie in [0, 65535].

A file that is cut short or damaged as far as its structure can tell is refused, never filled up. 1x1 and
flat images are legal. Plain 8-bit JPEG and PNG files and 16-bit colour are decoded by OpenCV, the rest
by Pillow; where both can, they give the same pixels.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np

from cvpipe.data import _header, _pillow
from cvpipe.errors import BadImage, SpecError

MAX_MEGAPIXELS = 250.0
"""The largest image that is decoded, in million pixels. The largest single-shot cameras have about 150; 250
take 750 MB as RGB, and a decompression bomb of 20,000 x 20,000 has 400. The environment variable
CVPIPE_MAX_MEGAPIXELS changes it."""

_REASONS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a loop of symbolic links",
}


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises `BadImage`: missing, a folder, no permission, a loop of links."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise BadImage("a folder, not a file")
        if not stat.S_ISREG(mode):  # reading a pipe or a device might never end
            raise BadImage("not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise BadImage(_REASONS.get(error.errno or 0, error.strerror or "cannot be read")) from error
    except ValueError as error:  # a NUL in the name
        raise BadImage("not a legal file name") from error


def decode(data: bytes) -> np.ndarray:
    """The bytes of an image file -> (H, W, 3) uint8 RGB, upright. Raises `BadImage` with the reason."""
    if not data:
        raise BadImage("an empty file (0 bytes)")
    header = _header.sniff(data)
    if header is None or not header.plain:
        return _pillow.decode(data, check_size, deep=header is not None and header.deep)
    check_size(header.width, header.height)
    orientation = _pillow.orientation(data) if header.turned else 1
    pixels = _opencv(data)
    if pixels is None:  # let Pillow try, and say what is wrong
        return _pillow.decode(data, check_size)
    return _pillow.upright(pixels, orientation)


def check_size(width: int, height: int) -> None:
    """Raises `BadImage` if an image of this size (px) is empty or larger than the limit."""
    if width < 1 or height < 1:
        raise BadImage(f"an image without pixels ({width} x {height})")
    limit = max_megapixels()
    if width * height > limit * 1e6:
        megapixels = f"{width} x {height} is {width * height / 1e6:,.0f} megapixels"
        raise BadImage(f"too large: {megapixels}, the limit is {limit:g} (CVPIPE_MAX_MEGAPIXELS)")


def max_megapixels() -> float:
    """The limit in force, in million pixels. Raises `SpecError` for a variable that is no number above 0."""
    text = os.environ.get("CVPIPE_MAX_MEGAPIXELS", "")
    try:
        limit = float(text) if text.strip() else MAX_MEGAPIXELS
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise SpecError(f"CVPIPE_MAX_MEGAPIXELS is a number above 0, got '{text}'")
    return limit


def _opencv(data: bytes) -> np.ndarray | None:
    import cv2

    flags = cv2.IMREAD_IGNORE_ORIENTATION
    rgb: Any = getattr(cv2, "IMREAD_COLOR_RGB", None)  # since OpenCV 4.10
    try:
        if rgb is not None:
            return cv2.imdecode(np.frombuffer(data, np.uint8), flags | rgb)
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_COLOR)
        return None if pixels is None else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    except cv2.error:
        return None
