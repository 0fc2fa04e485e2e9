"""The image formats and pixel types that OpenCV does not read, or not in the declared way, through Pillow."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from cvpipe.data.pixels import to_rgb8
from cvpipe.errors import BadImage, CvpipeError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("Jpeg", "Png", "Tiff", "Bmp", "Ppm", "WebP", "Gif")
"""As Pillow's modules spell them. It knows many more, some of which start other programs."""

_ORIENTATION = 0x0112  # EXIF 2.3, section 4.6.4
_BITS_PER_SAMPLE = 258  # TIFF 6.0, section 8
_OPEN = threading.Lock()

# How the stored image is to be turned for each EXIF orientation.
_TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def decode(data: bytes, check_size: Callable[[int, int], None], deep: bool = False) -> np.ndarray:
    """An image file -> (H, W, 3) uint8 RGB, upright.

    `check_size` is called with width and height before decoding; it raises if the image is too large.
    `deep`: 16 bits in several channels, which Pillow would cut to 8. Raises `BadImage`.
    """
    try:
        with _open(data) as image:
            check_size(*image.size)
            if deep or _deep_tiff(image):
                return upright(to_rgb8(_sixteen_bits(data)), _orientation(image))
            image.load()
            # Asked after loading: Pillow turns a TIFF itself, and a PNG may name it behind the pixels.
            return upright(to_rgb8(to_array(image)), _orientation(image))
    except CvpipeError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise nearly anything
        raise BadImage(_reason(error)) from error


def orientation(data: bytes) -> int:
    """The EXIF orientation, 1 to 8; 1 (upright) where there is none or it cannot be read."""
    try:
        with _open(data) as image:
            return _orientation(image)
    except Exception:  # damaged metadata do not make an image bad
        return 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, 3) turned or mirrored so that an image of that EXIF orientation is upright; contiguous."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _open(data: bytes) -> Image:
    """The header of an image. Pillow's own limit of size is off meanwhile, since ours is checked."""
    import PIL.Image

    for name in FORMATS:  # Pillow loads some of them only when no list of formats is given
        import_module(f"PIL.{name}ImagePlugin")
    with _OPEN:
        warnings.filterwarnings("ignore", module=r"PIL\.")  # about metadata of single images
        limit = PIL.Image.MAX_IMAGE_PIXELS
        PIL.Image.MAX_IMAGE_PIXELS = None
        try:
            return PIL.Image.open(BytesIO(data), formats=[name.upper() for name in FORMATS])
        finally:
            PIL.Image.MAX_IMAGE_PIXELS = limit


def _orientation(image: Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # as above
        return 1


def to_array(image: Image) -> np.ndarray:
    """The pixels of a loaded image in a type that `to_rgb8` takes. Raises `BadImage`."""
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.dtype.kind == "i" and (values.min() < 0 or values.max() > 65535):
            raise BadImage(f"32-bit pixels lie in [0, 65535], got {values.min()} to {values.max()}")
        return values.astype(np.uint16)
    if image.mode == "F":
        return np.asarray(image)
    see_through = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if see_through else "RGB"))


def _deep_tiff(image: Any) -> bool:
    bits = image.tag_v2.get(_BITS_PER_SAMPLE, ()) if image.format == "TIFF" else ()
    return len(bits) > 1 and max(bits) > 8


def _sixteen_bits(data: bytes) -> np.ndarray:
    """(H, W, C) uint16 or float, RGB or RGBA."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise BadImage("damaged, or a kind of 16-bit image that is not supported")
    codes = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
    return cv2.cvtColor(pixels, codes[pixels.shape[2]]) if pixels.ndim == 3 else pixels


def _reason(error: Exception) -> str:
    import PIL

    if isinstance(error, PIL.UnidentifiedImageError):
        return "not an image, or of a format that is not supported"
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return "cut short: the file ends before the image does"
    return f"damaged: {error}" if str(error) else "damaged"
