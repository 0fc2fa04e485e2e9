"""Small copies of images, as text that stands in the page itself."""

from __future__ import annotations

import base64
import io

import numpy as np

from cvpipe.data import Images
from cvpipe.errors import CvpipeError

QUALITY = 70  # of WebP, 1 … 100; below about 60 textures smear, above 80 files double
EFFORT = 0  # of WebP, 0 … 6: the least takes a quarter of the time of the usual 4, and an eighth more bytes


def read_or_none(images: Images, row: int) -> np.ndarray | None:
    """(H, W, 3) uint8 RGB, or None if the image cannot be read any more: it may have moved since the run."""
    try:
        return images[row]
    except (CvpipeError, OSError):
        return None


def data_uri(pixels: np.ndarray, side: int) -> str:
    """A `data:` address of (H, W, 3) uint8 RGB pixels as WebP, the longer side at most `side` px."""
    import cv2

    height, width = pixels.shape[:2]
    factor = min(1.0, side / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return address(webp(pixels if factor == 1.0 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)))


def coloured(values: np.ndarray) -> np.ndarray:
    """(h, w) of 0 to 1 -> (h, w, 3) uint8 RGB, from black over red to yellow."""
    import cv2

    levels = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]


def webp(pixels: np.ndarray) -> bytes:
    """(H, W, 3) uint8 RGB pixels as a WebP file."""
    from PIL import Image, WebPImagePlugin  # by its name: else Pillow imports all its formats to find it

    assert WebPImagePlugin.SUPPORTED
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "webp", quality=QUALITY, method=EFFORT)
    return file.getvalue()


def address(data: bytes) -> str:
    """The `data:` address of a WebP file."""
    return f"data:image/webp;base64,{base64.b64encode(data).decode()}"
