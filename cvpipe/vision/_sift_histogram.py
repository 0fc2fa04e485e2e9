"""The histograms of a SIFT descriptor, compiled: samples become shares in eight bins each, and the sums a descriptor.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 6.1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cvpipe.vision.compiled import FAST, compiled
from cvpipe.vision.sift_layout import CELLS, DIRECTIONS, WIDTH

REACH = np.float32((CELLS + 1) / 2 - 1e-5)
"""Gradients farther from the centre along the descriptor's axes, in cells, add to no histogram. A little less than the
2.5 at which a share becomes 0, so that rounding leads to no cell outside of the margin."""
MIDDLE = np.float32((CELLS + 1) / 2)
"""The descriptor's centre, in cells of its histograms with their margin."""
LAST = np.float32(CELLS + 1) - np.float32(1e-5)
"""Largest coordinate of a sample, cells."""
LARGEST = np.float32(0.2)
"""Numbers of the unit vector are cut off there, against lighting that is not linear (Lowe 2004, section 6.1)."""
UNIT = np.float32(512)
"""Length of the vector of whole numbers, whose values then rarely pass 255 (as in Lowe's program and OpenCV's)."""
STEP = DIRECTIONS + 1
"""Bins of a cell: the last is the first once more, so that neighbours lie side by side."""
LINE = (CELLS + 2) * STEP
"""Bins of a row of cells, which has a cell for those outside on both sides."""
BINS = (CELLS + 2) * LINE
"""Bins of all histograms."""
SPARE = 32
"""Samples that a loop on vectors may run over its end: four vectors at a time are eight times four samples."""


@compiled(fastmath=FAST, error_model="numpy")
def shares(
    above_left: Any,
    turns: Any,
    below_left: Any,
    below_right: Any,
    above_right: Any,
    index: Any,
    start: np.float32,
    scale: np.float32,
    count: int,
) -> None:
    """Turn (magnitude, direction, column, line) of `count` samples into what they add, trilinearly.

    The five rows become: what goes to the cell above left, the share of the second direction, and what goes to the
    cells below left, below right and above right; `index` is the bin of the first direction of the cell above left.
    A bin is `start`, in bins, and a direction times `scale`; not negative.
    """
    for k in range((count + SPARE - 1) // SPARE * SPARE):
        direction = start + turns[k] * scale
        u = min(max(below_left[k], np.float32(0)), LAST)
        v = min(max(below_right[k], np.float32(0)), LAST)
        column, line, turn = np.int32(u), np.int32(v), np.int32(direction)
        index[k] = line * np.int32(LINE) + column * np.int32(STEP) + (turn & np.int32(DIRECTIONS - 1))
        turns[k] = direction - np.float32(turn)
        magnitude, down = above_left[k], v - np.float32(line)
        right = magnitude * (u - np.float32(column))
        left = magnitude - right
        below_left[k] = left * down
        below_right[k] = right * down
        above_left[k] = left - left * down
        above_right[k] = right - right * down


@compiled(inline="always", fastmath=FAST, error_model="numpy")
def _add(
    above_left: Any,
    turns: Any,
    below_left: Any,
    below_right: Any,
    above_right: Any,
    index: np.ndarray,
    k: Any,
    bins: np.ndarray,
) -> None:
    """Add a sample to its eight bins."""
    bin, turn = np.uint64(np.uint32(index[k])), turns[k]
    second = above_left[k] * turn
    bins[bin] += above_left[k] - second
    bins[bin + np.uint64(1)] += second
    second = above_right[k] * turn
    bins[bin + np.uint64(STEP)] += above_right[k] - second
    bins[bin + np.uint64(STEP + 1)] += second
    second = below_left[k] * turn
    bins[bin + np.uint64(LINE)] += below_left[k] - second
    bins[bin + np.uint64(LINE + 1)] += second
    second = below_right[k] * turn
    bins[bin + np.uint64(LINE + STEP)] += below_right[k] - second
    bins[bin + np.uint64(LINE + STEP + 1)] += second


@compiled(fastmath=FAST, error_model="numpy")
def add_shares(
    a: Any, b: Any, c: Any, d: Any, e: Any, index: np.ndarray, count: int, even: np.ndarray, odd: np.ndarray
) -> None:
    """Add samples in turn to two sets of histograms: neighbours often share a bin, and would wait for each other."""
    for k in range(0, count - 1, 2):
        _add(a, b, c, d, e, index, np.uint64(k), even)
        _add(a, b, c, d, e, index, np.uint64(k + 1), odd)
    if count % 2:
        _add(a, b, c, d, e, index, np.uint64(count - 1), even)


@compiled(fastmath=FAST, error_model="numpy")
def _inner(even: np.ndarray, odd: np.ndarray, out: np.ndarray) -> float:
    """Fill in the bins of the cells inside of the margin, summed over both sets; the length of the vector."""
    n, squares = 0, np.float32(0)
    for line in range(1, CELLS + 1):
        for column in range(1, CELLS + 1):
            first = line * LINE + column * STEP
            for k in range(first, first + DIRECTIONS):
                out[n] = even[k] + odd[k]
                n += 1
            out[n - DIRECTIONS] += even[first + DIRECTIONS] + odd[first + DIRECTIONS]
    for k in range(WIDTH):
        squares += out[k] * out[k]
    return math.sqrt(squares)


@compiled(fastmath=FAST, error_model="numpy")
def normalised(even: np.ndarray, odd: np.ndarray, out: np.ndarray) -> None:
    """Unit length, cut off, unit length again, whole numbers (Lowe 2004, section 6.1)."""
    cells = np.empty(WIDTH, np.float32)
    length = _inner(even, odd, cells)
    if length == 0:
        out[:] = 0
        return
    squares = np.float32(0)
    for k in range(WIDTH):
        cells[k] = min(cells[k] / length, LARGEST)
        squares += cells[k] * cells[k]
    unit = UNIT / math.sqrt(squares)
    for k in range(WIDTH):
        out[k] = np.uint8(min(np.float32(255), cells[k] * unit + np.float32(0.5)))
