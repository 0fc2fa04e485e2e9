"""What kind of file an image lies in, from its header alone."""

from __future__ import annotations

import io
from pathlib import Path

from cvpipe.data.decode import read_bytes
from cvpipe.data.images import FileItem, Item
from cvpipe.errors import BadImage

MODES = {
    "1": "1 bit", "L": "grey", "LA": "grey with opacity", "P": "palette", "RGB": "RGB", "RGBA": "RGB with opacity",
    "CMYK": "CMYK", "YCbCr": "YCbCr", "I": "32-bit grey", "I;16": "16-bit grey", "I;16B": "16-bit grey", "F": "float",
}  # fmt: skip
"""Pillow's modes, in words."""


def kind_of(item: Item) -> str:
    """`JPEG, RGB` or `PNG, palette`; an empty string for what lies in no file or has no header that is known."""
    if not isinstance(item, FileItem):
        return ""
    return _kind(item.path)


def _kind(path: Path) -> str:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(read_bytes(path))) as image:
            return f"{image.format}, {MODES.get(image.mode, image.mode)}"
    except (BadImage, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
