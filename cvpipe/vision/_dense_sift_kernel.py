"""Dense SIFT of one plane at one scale, compiled. Import it where it is used: numba takes half a second to load.

The eight orientations of a pixel are neighbours in memory, so that they are one vector of eight floats. Rows of the
plane are visited once, from top to bottom. Only those in reach of the current bins are kept, in rings: row y lies at
y modulo the length of the ring. So the memory does not grow with the height of the image. Copies are written as loops,
which compile twice as fast as slices.
"""

from __future__ import annotations

import numpy as np

from cvpipe.vision.compiled import FAST, compiled
from cvpipe.vision.sift_layout import CELLS, DIRECTIONS, WIDTH

CLIP = np.float32(0.2)
"""Largest number in a descriptor of unit length, before it is normalised again; Lowe 2004, section 6.1."""
GAIN, LARGEST = np.float32(512), np.float32(255)
"""A unit descriptor is multiplied by 512 and limited to 255, so that it fits uint8; Lowe's and VLFeat's program."""
TINY = np.float32(2**-23)
"""Added to lengths, so that a flat neighbourhood gives zeros; the epsilon of float32."""
A1, A3, A5, A7, A9 = (
    np.float32(a * 4 / np.pi) for a in (0.9998660, -0.3302995, 0.1801410, -0.0851330, 0.0208351)
)
"""arctan x on [0, 1] as an odd polynomial, here in units of 45 degrees; absolute error below 1e-5 rad. Source:
Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, equation 4.4.47."""

fast = compiled(fastmath=FAST, error_model="numpy")


@fast
def _gradient(plane: np.ndarray, y: int, size: np.ndarray, turn: np.ndarray) -> None:
    """Size and direction, in units of 45 degrees in [0, 8] from x towards y, of the gradients in row y."""
    height, width = plane.shape
    above, here, below = plane[max(y - 1, 0)], plane[y], plane[min(y + 1, height - 1)]
    half = np.float32(0.5) if 0 < y < height - 1 else np.float32(1)  # one-sided at the border
    size[0], size[width - 1] = here[1] - here[0], here[width - 1] - here[width - 2]
    for x in range(1, width - 1):
        size[x] = np.float32(0.5) * (here[x + 1] - here[x - 1])
    for x in range(width):
        dx, dy = size[x], half * (below[x] - above[x])
        flat, steep = abs(dx), abs(dy)
        ratio = min(flat, steep) / (
            max(flat, steep) + np.float32(1e-30)
        )  # so small that it matters for 0 / 0 only
        q = ratio * ratio
        angle = ratio * (A1 + q * (A3 + q * (A5 + q * (A7 + q * A9))))
        angle = np.float32(2) - angle if steep > flat else angle
        angle = np.float32(4) - angle if dx < np.float32(0) else angle
        turn[x] = np.float32(8) - angle if dy < np.float32(0) else angle
        size[x] = np.sqrt(dx * dx + dy * dy)


@fast
def _orientations(size: np.ndarray, turn: np.ndarray, out: np.ndarray) -> None:
    """Share each gradient between the two nearest orientations, linearly: (W,) -> (8 W,)."""
    for x in range(len(size)):
        for k in range(DIRECTIONS):
            gap = abs(turn[x] - np.float32(k))
            gap = min(gap, np.float32(DIRECTIONS) - gap)
            out[x * DIRECTIONS + k] = max(np.float32(0), size[x] - size[x] * gap)


@fast
def _pool_rows(ring: np.ndarray, y: int, height: int, bin_size: int, out: np.ndarray) -> None:
    """Weighted sum of the rows around y, by a triangle of height 1; rows beyond the border repeat the last one."""
    length = len(ring)
    here = ring[y % length]
    for i in range(len(out)):
        out[i] = here[i]
    for d in range(1, bin_size):
        weight = np.float32(bin_size - d) / np.float32(bin_size)
        above, below = ring[max(y - d, 0) % length], ring[min(y + d, height - 1) % length]
        for i in range(len(out)):
            out[i] += weight * (above[i] + below[i])


@fast
def _pool_columns(line: np.ndarray, bin_size: int, out: np.ndarray) -> None:
    """The same along x; `line` has bin_size - 1 more pixels than `out` on either side."""
    n, first = len(out), (bin_size - 1) * DIRECTIONS
    for x in range(0, first, DIRECTIONS):
        for k in range(DIRECTIONS):
            line[x + k] = line[first + k]
            line[first + n + x + k] = line[first + n - DIRECTIONS + k]
    for i in range(n):
        out[i] = line[first + i]
    for d in range(1, bin_size):
        weight = np.float32(bin_size - d) / np.float32(bin_size)
        left, right = line[first - DIRECTIONS * d :], line[first + DIRECTIONS * d :]
        for i in range(n):
            out[i] += weight * (left[i] + right[i])


@fast
def _normalise(bins: np.ndarray, out: np.ndarray) -> np.float32:
    """Unit length, clip, unit length again, times 512; uint8 drops the fraction. Returns the sum of the bins."""
    total = squares = np.float32(0)
    for i in range(WIDTH):
        total += bins[i]
        squares += bins[i] * bins[i]
    scale = np.float32(1) / (np.sqrt(squares) + TINY)
    squares = np.float32(0)
    for i in range(WIDTH):
        bins[i] = min(bins[i] * scale, CLIP)
        squares += bins[i] * bins[i]
    scale = GAIN / (np.sqrt(squares) + TINY)
    for i in range(WIDTH):
        out[i] = min(bins[i] * scale, LARGEST)
    return total


@fast
def _one_row(pooled: np.ndarray, top: int, lefts: np.ndarray, weights: np.ndarray, bin_size: int,
             channel: int, values: np.ndarray, contrast: np.ndarray) -> None:  # fmt: skip
    """The descriptors whose first bins lie in row `top`."""
    bins = np.empty(WIDTH, np.float32)
    area = np.float32(len(pooled) ** 2)
    for i in range(len(lefts)):
        for b in range(CELLS * CELLS):
            row = pooled[(top + bin_size * (b // CELLS)) % len(pooled)]
            start = (lefts[i] + bin_size * (b % CELLS)) * DIRECTIONS
            weight = weights[b // CELLS] * weights[b % CELLS]
            for k in range(DIRECTIONS):
                bins[b * DIRECTIONS + k] = weight * row[start + k]
        contrast[i] = _normalise(bins, values[i, channel]) / area


@fast
def describe(plane: np.ndarray, bin_size: int, tops: np.ndarray, lefts: np.ndarray, weights: np.ndarray,
             channel: int, values: np.ndarray, contrast: np.ndarray) -> None:  # fmt: skip
    """Descriptors at a grid, written to `values[:, channel]` and `contrast`, row after row of the grid.

    `plane` (H, W) float32, smoothed, at least 2 x 2; `tops` and `lefts` ascending int64, the centres of the first
    bins, which lie with all four bins inside the plane; `weights` (4,) float32 of the bins along one side;
    `values` (m, C, 128) float32 or uint8 and `contrast` (m,) float32, m = len(tops) * len(lefts). Contrast is the
    sum of the weighted bins over the area that their centres span, in px^2.
    """
    height, width = plane.shape
    size, turn = np.empty(width, np.float32), np.empty(width, np.float32)
    ring = np.empty((2 * bin_size, width * DIRECTIONS), np.float32)
    margin = (bin_size - 1) * DIRECTIONS
    line = np.empty(width * DIRECTIONS + 2 * margin, np.float32)
    pooled = np.empty(((CELLS - 1) * bin_size + 1, width * DIRECTIONS), np.float32)
    is_bin = np.zeros(height, np.bool_)
    for b in range(CELLS):
        for top in tops:
            is_bin[top + b * bin_size] = True
    rows, seen, m = 0, 0, len(lefts)
    for y in range(height):
        if not is_bin[y]:
            continue
        for row in range(max(seen, y - bin_size + 1), min(y + bin_size, height)):
            _gradient(plane, row, size, turn)
            _orientations(size, turn, ring[row % len(ring)])
        seen = min(y + bin_size, height)
        _pool_rows(ring, y, height, bin_size, line[margin : margin + width * DIRECTIONS])
        _pool_columns(line, bin_size, pooled[y % len(pooled)])
        top = y - (CELLS - 1) * bin_size
        if rows < len(values) and top == tops[rows // m]:
            _one_row(
                pooled,
                top,
                lefts,
                weights,
                bin_size,
                channel,
                values[rows : rows + m],
                contrast[rows : rows + m],
            )
            rows += m
