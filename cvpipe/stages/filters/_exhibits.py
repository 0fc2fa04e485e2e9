"""What learners of filters show: the filters, how much each is used, patches drawn again."""

from __future__ import annotations

import numpy as np

from cvpipe.data.exhibits import Curves, Facts, Gallery

SHOWN = 144
"""Most filters in a gallery; of more, every so many-th in the order of use."""
SIDE = 32
"""Pictures of filters are made at least so large by repeating pixels, px."""
DEAD = 0.01
"""A filter is dead if it is used less than this share of the mean use."""
MIDDLE, REACH = 128, 127
"""Grey level of 0, and how far the largest number of a filter is from it."""
PATCH_REACH = 50
"""Grey levels for a number 1 of an evened patch, whose standard deviation is 1."""


def filter_gallery(filters: np.ndarray, window: tuple[int, int, int], use: np.ndarray) -> Gallery:
    """Pictures of (K, h w C) filters, the most used first, each stretched by itself."""
    order = np.argsort(-use, kind="stable")
    picked = order[np.linspace(0, len(order) - 1, min(SHOWN, len(order))).astype(int)]
    largest = np.abs(filters[picked]).max(axis=1, keepdims=True)
    pictures = _pictures(filters[picked] * (REACH / np.where(largest > 0, largest, 1)), window)
    captions = [f"{use[filter_]:.3g}" for filter_ in picked]
    note = "Sorted by mean activation on training patches, which is below each; grey is 0."
    return Gallery(f"{len(picked)} of {len(filters)} filters", pictures, captions, note)


def use_facts(use: np.ndarray, patches: int) -> Facts:
    """How many filters are used, and how evenly."""
    dead = np.mean(use < DEAD * max(float(use.mean()), 1e-30))
    rows = [
        ("training patches", f"{patches:,}"),
        ("filters", f"{len(use):,}"),
        ("dead filters", f"{dead:.1%} (below 1 % of the mean use)"),
        ("mean activation", f"{use.mean():.4g}"),
        ("least and most used filter", f"{use.min():.4g}, {use.max():.4g}"),
    ]
    return Facts("Use of the filters", rows)


def use_curve(use: np.ndarray, wanted: float | None = None) -> Curves:
    """Mean activation of each unit, sorted, against the wanted one."""
    place = np.arange(1, len(use) + 1)
    series = {"units": (place, np.sort(use)[::-1])}
    if wanted is not None:
        series["wanted"] = (place, np.full(len(use), wanted))
    return Curves("Mean activation of each unit", "unit, most active first", "mean activation", series)


def redrawn_gallery(patches: np.ndarray, redrawn: np.ndarray, window: tuple[int, int, int]) -> Gallery:
    """(n, h w C) evened patches and what was drawn of them, side by side."""
    pairs = np.stack([patches, redrawn], axis=1).reshape(-1, patches.shape[1])
    captions = ["patch", "drawn again"] * len(patches)
    note = "Held-out patches, even in brightness and contrast, and what the hidden units make of them."
    return Gallery("Patches drawn again", _pictures(pairs * PATCH_REACH, window), captions, note)


def _pictures(rows: np.ndarray, window: tuple[int, int, int]) -> np.ndarray:
    """(n, h, w, 3) uint8 of rows around 0, enlarged."""
    pixels = np.clip(np.rint(rows + MIDDLE), 0, 255).astype(np.uint8).reshape(-1, *window)
    pixels = np.repeat(pixels, 3, axis=3) if window[2] == 1 else pixels
    times = max(1, -(-SIDE // max(window[:2])))
    return pixels.repeat(times, axis=1).repeat(times, axis=2)
