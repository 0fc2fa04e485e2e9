"""A hash of how an image looks: copies that were scaled or compressed again keep nearly all of its bits.

Few different images share nearly all bits, but some do, so two images count as alike only if small grey copies of them
correlate too. Measured on UC Merced (256 px) at the limits below: JPEG of quality 30, half and double size, changed
brightness and contrast are all found, at most 6 bits apart; of 2.2 million pairs of different photographs one is
called alike, and it shows the same beach. Mirrored and turned copies are about 32 bits apart and are not found.

Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", thesis, Hagenberg 2010, section
3.2.1 (the DCT hash).
"""

from __future__ import annotations

import numpy as np

from cvpipe.threads import map_blocks

SIDE = 32
"""Side of the grey copy that is transformed, px (Zauner 2010)."""
KEPT = 8
"""Side of the square of lowest frequencies that gives the bits."""
FARTHEST = 8
"""Bits that may differ, of 64."""
LEAST = 0.97
"""Correlation that two grey copies must have."""
BLOCK = 512
"""Images that are compared with all others at a time."""


def look(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB -> (32, 32) uint8 luma, each value the mean of its part of the image."""
    import cv2

    from cvpipe.vision.resize import resize

    small = resize(pixels, SIDE, SIDE, cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)


def perceptual_hash(grey: np.ndarray) -> np.uint64:
    """64 bits of a `look`: which of its lowest frequencies lie above their median. 0 for a flat image."""
    import cv2

    low = cv2.dct(grey.astype(np.float32))[:KEPT, :KEPT].ravel()
    bits = low > np.median(low[1:])
    bits[0] = False  # the mean brightness: it lies above in every image
    return np.packbits(bits & (np.ptp(grey) > 0)).view(np.uint64)[0]


def alike(looks: np.ndarray) -> np.ndarray:
    """(m, 2) int64 pairs i < j of (n, 32, 32) looks that show the same, sorted. Flat images are like no other.

    Compares all pairs: about a second for 60,000 images. Uses the threads that are allowed.
    """
    from cvpipe.vision._hamming_kernel import near_pairs

    hashes = np.array([perceptual_hash(grey) for grey in looks], np.uint64)

    def some(start: int, stop: int) -> np.ndarray:
        pairs = near_pairs(hashes, start, stop, FARTHEST)
        return pairs[_correlation(looks[pairs[:, 0]], looks[pairs[:, 1]]) >= LEAST]

    return np.concatenate([np.empty((0, 2), np.int64), *map_blocks(some, len(hashes), BLOCK)])


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m,) in [-1, 1] for (m, 32, 32) pairs; 0 where one is flat."""
    a, b = (x.reshape(len(x), SIDE * SIDE).astype(np.float32) for x in (first, second))
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.divide((a * b).sum(axis=1), norms, out=np.zeros_like(norms), where=norms > 0)
