"""An entry of the store as a file: safetensors with arrays, a JSON note, and a CRC-32 of both.

Reading is what a comparison does most: dense descriptors are some 0.5 MB an image and every split reads them again. So
each array goes from the file straight to where it stays, without a copy in between; that takes a seventh of the time
of reading the file and then decoding it.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Mapping
from typing import Any, BinaryIO

import numpy as np

Entry = tuple[dict[str, np.ndarray], dict[str, Any]]
"""Arrays, and a note."""

DTYPES = {"BOOL": np.dtype(bool)} | {
    f"{word}{8 * size}": np.dtype(f"<{kind}{size}")
    for word, kind, sizes in (("F", "f", (2, 4, 8)), ("I", "i", (1, 2, 4, 8)), ("U", "u", (1, 2, 4, 8)))
    for size in sizes
}
"""Types by their words in a safetensors file: F32, U8, BOOL."""
WORDS = {dtype: word for word, dtype in DTYPES.items()}
LENGTH = 8
"""Bytes at the beginning of a file that tell the length of its head."""


def encode(arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> list[bytes | memoryview]:
    """The content of the file in parts: its head, and the memory of each array. Large numbers come first, so that all
    are aligned."""
    solid = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    order = sorted(solid, key=lambda name: (-solid[name].itemsize, name))
    ends = np.cumsum([solid[name].nbytes for name in order]).tolist()
    head: dict[str, Any] = {"__metadata__": {"note": json.dumps(note), "crc32": str(_checksum(solid, note))}}
    for name, begin, end in zip(order, [0, *ends], ends, strict=False):
        word = WORDS[solid[name].dtype.newbyteorder("<")]
        head[name] = {"dtype": word, "shape": solid[name].shape, "data_offsets": [begin, end]}
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % LENGTH)
    return [len(text).to_bytes(LENGTH, "little") + text, *(_bytes_of(solid[name]).data for name in order)]


def decode(file: BinaryIO, trusted: bool = False) -> Entry | None:
    """What `encode` was given, or None if the file is damaged. `trusted` files have been decoded before: their CRC is
    not computed again. Raises `OSError`."""
    try:
        head, size = _head(file)
        about = head.pop("__metadata__")
        arrays, note = _arrays(file, head, size), json.loads(about["note"])
        whole = trusted or about["crc32"] == str(_checksum(arrays, note))
        return (arrays, note) if whole else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _head(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """The head of a safetensors file, and how many bytes follow it. Raises `ValueError` if it is damaged."""
    size = file.seek(0, os.SEEK_END) - LENGTH
    file.seek(0)
    length = int.from_bytes(file.read(LENGTH), "little")
    if length > size:
        raise ValueError("the head is cut off")
    return json.loads(file.read(length)), size - length


def _arrays(file: BinaryIO, tensors: dict[str, Any], size: int) -> dict[str, np.ndarray]:
    """The arrays, which lie one after the other in `size` bytes."""
    arrays, place = {}, 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = tensor["data_offsets"]
        if begin != place or end > size:
            raise ValueError("an array is not where the one before it ends")
        arrays[name], place = _array(file, tensor, end - begin), end
    if place != size:
        raise ValueError("there is more than the arrays")
    return arrays


def _array(file: BinaryIO, tensor: Mapping[str, Any], size: int) -> np.ndarray:
    dtype, shape = DTYPES[tensor["dtype"]], tensor["shape"]
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError("an array is not as large as its shape")
    array = np.empty(shape, dtype)
    if file.readinto(_bytes_of(array).data) != size:  # type: ignore[attr-defined]
        raise ValueError("an array is cut off")
    return array


def _checksum(arrays: Mapping[str, np.ndarray], note: Mapping[str, Any]) -> int:
    """Over everything that is given back: a shape, a type or a word of the note may flip as well as a value."""
    crc = zlib.crc32(json.dumps(note, sort_keys=True).encode())
    for name in sorted(arrays):
        head = f"{name} {arrays[name].dtype.str} {arrays[name].shape}"
        crc = zlib.crc32(_bytes_of(arrays[name]).data, zlib.crc32(head.encode(), crc))
    return crc


def _bytes_of(array: np.ndarray) -> np.ndarray:
    """The memory of a contiguous array, as uint8."""
    return array.reshape(-1).view(np.uint8)
