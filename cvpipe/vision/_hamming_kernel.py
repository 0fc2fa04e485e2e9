"""All pairs of 64-bit hashes that differ in few bits."""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import compiled


@compiled()
def near_pairs(hashes: np.ndarray, start: int, stop: int, farthest: int) -> np.ndarray:
    """(m, 2) int64 pairs i < j, start <= i < stop, of (n,) uint64 hashes at most so many bits apart; 0 is no hash."""
    found = np.empty((1024, 2), np.int64)
    count = 0
    for i in range(start, stop):
        if hashes[i] == 0:
            continue
        for j in range(i + 1, len(hashes)):
            if hashes[j] == 0 or _bits(hashes[i] ^ hashes[j]) > farthest:
                continue
            if count == len(found):
                found = np.concatenate((found, np.empty_like(found)))
            found[count, 0], found[count, 1] = i, j
            count += 1
    return found[:count]


@compiled(inline="always")
def _bits(x: np.uint64) -> np.uint64:
    """How many bits are set: sums of neighbouring fields of 1, 2 and 4 bits, then of bytes by a product."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)
