"""What the first bytes of a JPEG or PNG file promise, and whether the file is whole, without decoding it.

Decoders fill what is missing at the end of a JPEG with grey and say nothing, so the structure itself is
walked: segment by segment for JPEG (ISO/IEC 10918-1, annex B), chunk by chunk for PNG (ISO/IEC 15948,
section 5).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from cvpipe.errors import BadImage

JPEG_START = b"\xff\xd8\xff"
PNG_START = b"\x89PNG\r\n\x1a\n"

# A marker is 0xFF and a byte. 0xFF00 is a stuffed data byte, 0xFFD0-D7 are restarts, 0xFFFF fills up.
_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")
_START_OF_IMAGE, _END_OF_IMAGE, _START_OF_SCAN, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # C4, C8 and CC share the range but are tables
_HUFFMAN_8_BIT = {0xC0, 0xC1, 0xC2}  # baseline, extended and progressive DCT

# Chunks that change no pixel in either library. Others go to Pillow: text may hold an orientation, and the
# libpng inside OpenCV prints warnings about colour profiles.
_HARMLESS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"tIME", b"gAMA", b"cHRM", b"sRGB", b"sBIT"}
_GREY, _RGB = 0, 2


@dataclass(frozen=True)
class Header:
    """The size in pixels, and how the file may be decoded."""

    width: int
    height: int
    plain: bool
    """8 bits of grey or RGB and nothing beside it that changes pixels, so that OpenCV and Pillow agree."""
    turned: bool
    """It has a place for an orientation."""
    deep: bool = False
    """16 bits in more than one channel, which Pillow would cut to 8 without rounding."""


def sniff(data: bytes) -> Header | None:
    """The header of a JPEG or PNG file; None for anything else. Raises `BadImage` if it is cut or damaged."""
    if data.startswith(JPEG_START):
        return _jpeg(data)
    if data.startswith(PNG_START):
        return _png(data)
    return None


def _jpeg(data: bytes) -> Header:
    frame, turned, scans = b"", False, 0
    for marker, start, end in _segments(data):
        if marker in _FRAMES and not frame:
            frame = bytes([marker]) + data[start:end]
        turned |= marker == _APP1
        scans += marker == _START_OF_SCAN
    if len(frame) < 7 or not scans:
        raise BadImage("damaged: a JPEG file without image data")
    depth, height, width, channels = frame[1], *_numbers(frame[2:6], 2), frame[6]
    plain = frame[0] in _HUFFMAN_8_BIT and depth == 8 and channels in (1, 3)
    return Header(width, height, plain, turned)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each segment's content up to the end of the image."""
    position = len(JPEG_START) - 1
    while match := _MARKER.search(data, position):
        marker, start = data[match.end() - 1], match.end() + 2
        if marker == _END_OF_IMAGE:
            return
        position = match.end() + int.from_bytes(data[match.end() : start], "big")
        if marker == _START_OF_IMAGE or position > len(data):
            break
        yield marker, start, position
    raise BadImage("cut short: the JPEG file has no end marker")


def _png(data: bytes) -> Header:
    kinds, position = set(), len(PNG_START)
    while b"IEND" not in kinds:
        size, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        end = position + 8 + size
        if end + 4 > len(data):
            raise BadImage("cut short: the PNG file has no end chunk")
        check = int.from_bytes(data[end : end + 4], "big")
        if zlib.crc32(memoryview(data)[position + 4 : end]) != check:
            raise BadImage(f"damaged: wrong checksum in a {kind.decode('latin-1')!r} chunk of the PNG file")
        kinds.add(kind)
        position = end + 4
    if not data.startswith(b"IHDR", 12) or b"IDAT" not in kinds:
        raise BadImage("damaged: a PNG file without image data")
    (width, height), depth, colour = _numbers(data[16:24], 4), data[24], data[25]
    plain = depth == 8 and colour in (_GREY, _RGB) and kinds <= _HARMLESS
    return Header(width, height, plain, turned=False, deep=depth == 16 and colour != _GREY)


def _numbers(data: bytes, size: int) -> tuple[int, int]:
    return int.from_bytes(data[:size], "big"), int.from_bytes(data[size : 2 * size], "big")
